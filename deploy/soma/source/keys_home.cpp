#include "deploy/soma/source/keys_home.hpp"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "deploy/soma/shell/files.hpp"
#include "messages/crypto/key_file.hpp"
#include "storage/files/durable.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_passphrase_bytes = 4'096;

fs::path public_half_of(fs::path key) {
  return key.replace_extension(".pub");
}

std::optional<public_key> read_public_half(const fs::path& key) {
  if (std::ifstream file(public_half_of(key)); file) {
    std::string text;
    std::getline(file, text);
    if (const auto half = hash256::parse(text)) return half->value;
  }
  // An unencrypted key file contains the public half, too.
  const auto loaded = crypto::load_key(key, std::nullopt);
  return loaded ? std::optional(loaded->public_half()) : std::nullopt;
}

home_key key_at(const fs::path& path) {
  return {path.stem().string(), path, read_public_half(path)};
}

/// Reads one line from the terminal, which does not show what is typed.
std::string ask_hidden(const char* question) {
  std::fputs(question, stderr);
  termios before{};
  const bool is_hidden = ::tcgetattr(STDIN_FILENO, &before) == 0;
  auto quiet = before;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  if (is_hidden) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  std::string line;
  std::getline(std::cin, line);
  if (is_hidden) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::fputs("\n", stderr);
  return line;
}

}  // namespace

bool is_key_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && name[0] != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

std::vector<home_key> keys_of(const fs::path& home) {
  std::vector<home_key> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home / "keys", error)) {
    if (entry.path().extension() == ".pem") found.push_back(key_at(entry.path()));
  }
  std::ranges::sort(found, {}, &home_key::name);
  return found;
}

expected<home_key, failure> find_key(const run_context& context, const std::string& named) {
  const auto remedy = "`soma wallet new NAME` makes a key, `soma wallet list` shows all keys";
  std::error_code ignored;
  if (named.empty()) {
    const auto all = keys_of(context.home);
    if (all.size() == 1) return all[0];
    return failed(
        "it is not clear which account is meant",
        all.empty()
            ? "no key is in " + (context.home / "keys").string()
            : std::to_string(all.size()) + " keys are in " + (context.home / "keys").string(),
        all.empty() ? remedy : "name one with --from NAME; `soma wallet list` shows them");
  }
  if (is_key_name(named)) {
    const auto path = context.home / "keys" / (named + ".pem");
    if (fs::exists(path, ignored)) return key_at(path);
  }
  if (fs::is_regular_file(named, ignored)) return key_at(named);
  return failed("there is no key " + named,
                "it is neither in " + (context.home / "keys").string() + " nor a file", remedy);
}

expected<std::string, failure> passphrase(const fs::path& file, bool is_new) {
  const auto what = "cannot get the passphrase";
  if (!file.empty()) {
    const auto content = read_named_file(file, max_passphrase_bytes, "the passphrase");
    if (!content) return make_unexpected(content.error());
    std::string line(content->begin(), content->end());
    line = line.substr(0, line.find_first_of("\r\n"));
    if (line.empty()) return failed(what, "the first line of " + file.string() + " is empty");
    return line;
  }
  if (const char* given = std::getenv("SOMA_PASSPHRASE"); given != nullptr && *given != '\0') {
    return std::string(given);
  }
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) {
    return failed(what, "it cannot be asked for, since there is no terminal",
                  is_new ? "set SOMA_PASSPHRASE, name --passphrase-file, or add --no-passphrase"
                         : "set SOMA_PASSPHRASE or name --passphrase-file");
  }
  auto line = ask_hidden("passphrase: ");
  if (line.empty()) return failed(what, "it is empty", "--no-passphrase makes a key without one");
  if (is_new && ask_hidden("once more:  ") != line) return failed(what, "the two are not the same");
  return line;
}

expected<crypto::key_pair, failure> unlock(const home_key& key, const fs::path& passphrase_file) {
  using enum crypto::key_file_refusal;
  auto loaded = crypto::load_key(key.path, std::nullopt);
  if (!loaded && loaded.error() == passphrase_needed) {
    const auto phrase = passphrase(passphrase_file, false);
    if (!phrase) return make_unexpected(phrase.error());
    loaded = crypto::load_key(key.path, *phrase);
  }
  if (loaded) return std::move(*loaded);
  const auto* remedy = "name another key";
  if (loaded.error() == wrong_passphrase) remedy = "try again";
  if (loaded.error() == open_to_others) remedy = "make it readable for its owner only: chmod 600";
  return failed("cannot use the key " + key.path.string(),
                std::string(crypto::to_text(loaded.error())), remedy);
}

expected<home_key, failure> make_key(const run_context& context, const std::string& name,
                                     const std::optional<std::string>& phrase) {
  const auto path = context.home / "keys" / (name + ".pem");
  const auto refused = [&](std::string why) {
    return failed("cannot make the key " + path.string(), std::move(why),
                  "choose another name or another --home");
  };
  try {
    files::create_directories_durably(path.parent_path());
  } catch (const std::exception& error) {
    return refused(error.what());
  }
  crypto::system_random random;
  const auto made = crypto::key_pair::generate(random);
  if (auto saved = crypto::save_key(path, made, phrase); !saved) {
    return refused(std::string(crypto::to_text(saved.error())));
  }
  std::ofstream file(public_half_of(path), std::ios::trunc);
  file << "0x" << to_hex(made.public_half()) << "\n";
  // An error is ignored: without this file, lists say "locked" for a key with a passphrase.
  file.close();
  return home_key{name, path, made.public_half()};
}

}  // namespace soma::cli
