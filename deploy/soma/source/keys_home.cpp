#include "deploy/soma/source/keys_home.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/hidden_input.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/crypto/key_file.hpp"
#include "storage/files/durable.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

// More than a passphrase may have, so that one that is too long is refused and not cut.
constexpr std::size_t max_passphrase_line_bytes = 4'096;
constexpr int silent_writer_ms = 30'000;

fs::path public_half_of(fs::path key) {
  return key.replace_extension(".pub");
}

/// What binds NAME.pub to the key file beside it: the hash of the whole key file.
std::optional<hash256> hash_of_file(const fs::path& key) {
  const auto content = read_named_file(key, crypto::max_key_file_bytes, "the key");
  if (!content) return std::nullopt;
  return crypto::hash("soma.key-file", *content);
}

/// The public half of the key in the file. A key file without a passphrase contains it. For a key
/// with a passphrase NAME.pub is believed, but only as long as the key file is the one that it was
/// written for: whoever replaced the key must not be paid to the old address.
std::optional<public_key> read_public_half(const fs::path& key) {
  if (const auto loaded = crypto::load_key(key, std::nullopt)) return loaded->public_half();
  std::ifstream file(public_half_of(key));
  std::string half_text, hash_text;
  std::getline(file, half_text);
  std::getline(file, hash_text);
  const auto half = hash256::parse(half_text);
  const auto hash = hash256::parse(hash_text);
  if (!half || !hash || hash != hash_of_file(key)) return std::nullopt;
  return half->value;
}

/// An error is ignored: without this file, lists say "locked" for a key with a passphrase.
void write_public_half(const fs::path& key, const public_key& half) {
  const auto hash = hash_of_file(key);
  if (!hash) return;
  const auto text = "0x" + to_hex(half) + "\n" + hash->text() + "\n";
  (void)write_named_file(public_half_of(key),
                         byte_view(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()),
                         true);
}

home_key key_at(const fs::path& path, bool is_of_home) {
  home_key key{path.stem().string(), path, std::nullopt, is_of_home};
  if (::access(path.c_str(), R_OK) == 0) {
    key.half = read_public_half(path);
  } else {
    key.unreadable = std::generic_category().message(errno);
  }
  return key;
}

/// Reads the first line of a file, of a pipe such as that of `<(…)`, or of a terminal. A writer
/// that stays silent is given up after a while.
expected<std::string, failure> first_line_of(const fs::path& path) {
  const auto what = "cannot read the passphrase " + path.string();
  const auto* remedy = "name a readable file";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failed(what, std::generic_category().message(errno), remedy);
  std::string text;
  std::optional<std::string> why;
  while (!why && text.size() <= max_passphrase_line_bytes && text.find('\n') == std::string::npos) {
    pollfd readable{fd, POLLIN, 0};
    if (::poll(&readable, 1, silent_writer_ms) == 0) {
      why = "nothing came within 30 seconds";
      break;
    }
    if (stop_requested()) {
      why = "a stop was asked for";
      break;
    }
    char part[256];
    const auto got = ::read(fd, part, sizeof part);
    if (got == 0) break;
    if (got > 0) text.append(part, static_cast<std::size_t>(got));
    if (got < 0 && errno != EINTR && errno != EAGAIN) why = std::generic_category().message(errno);
  }
  ::close(fd);
  if (why) return failed(what, *why, remedy);
  const auto line = text.substr(0, text.find_first_of("\r\n"));
  if (line.empty()) return failed(what, "its first line is empty", "write the passphrase there");
  if (line.size() > max_passphrase_line_bytes) {
    return failed(what, "its first line is longer than any passphrase", remedy);
  }
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

expected<std::vector<home_key>, failure> keys_of(const fs::path& home) {
  std::vector<home_key> found;
  std::error_code error;
  const auto folder = home / "keys";
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    const auto& path = at->path();
    std::error_code ignored;
    if (path.extension() != ".pem" || !fs::is_regular_file(path, ignored)) continue;
    auto key = key_at(path, true);
    if (key.unreadable.empty() && !holds_private_key(path)) continue;
    found.push_back(std::move(key));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return failed("cannot read the keys in " + folder.string(), error.message(),
                  "make the folder readable for you, or name another --home");
  }
  std::ranges::sort(found, {}, &home_key::name);
  return found;
}

expected<std::vector<address>, failure> accounts_of_home(const run_context& context,
                                                         const std::string& verb_name) {
  const auto keys = keys_of(context.home);
  if (!keys) return make_unexpected(keys.error());
  std::vector<address> accounts;
  for (const auto& key : *keys) {
    if (key.half) accounts.push_back(crypto::address_of(*key.half));
    if (!key.unreadable.empty())
      note_line("left out: " + key.path.string() + ": " + key.unreadable);
  }
  if (accounts.empty()) {
    return wrong_usage(verb_name, "no account was named, and the home has no key that can be shown",
                       "name an address, or make a key with `soma wallet new NAME`");
  }
  return accounts;
}

expected<home_key, failure> find_key(const run_context& context, const std::string& named) {
  const auto remedy = "`soma wallet new NAME` makes a key, `soma wallet list` shows all keys";
  std::error_code ignored;
  if (named.empty()) {
    const auto found = keys_of(context.home);
    if (!found) return make_unexpected(found.error());
    const auto& all = *found;
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
    if (fs::exists(path, ignored)) return key_at(path, true);
    if (auto all = keys_of(context.home); !all) return make_unexpected(all.error());
  }
  if (fs::is_regular_file(named, ignored)) return key_at(named, false);
  return failed("there is no key " + named,
                "it is neither in " + (context.home / "keys").string() + " nor a file", remedy);
}

expected<std::string, failure> passphrase(const fs::path& file, bool is_new) {
  const auto what = "cannot get the passphrase";
  if (!file.empty()) {
    return first_line_of(file);
  }
  if (const char* given = std::getenv("SOMA_PASSPHRASE"); given != nullptr && *given != '\0') {
    return std::string(given);
  }
  if (!can_ask()) {
    return failed(what, "it cannot be asked for, since there is no terminal",
                  is_new ? "set SOMA_PASSPHRASE, name --passphrase-file, or add --no-passphrase"
                         : "set SOMA_PASSPHRASE or name --passphrase-file");
  }
  auto line = ask_hidden("passphrase: ");
  if (!line) return failed(what, "the input has ended", "type it, or name --passphrase-file");
  if (line->empty()) return failed(what, "it is empty", "--no-passphrase makes a key without one");
  if (is_new && ask_hidden("once more:  ") != line) return failed(what, "the two are not the same");
  return std::move(*line);
}

expected<crypto::key_pair, failure> unlock(const home_key& key, const fs::path& passphrase_file) {
  using enum crypto::key_file_refusal;
  auto loaded = crypto::load_key(key.path, std::nullopt);
  if (!loaded && loaded.error() == passphrase_needed) {
    const auto phrase = passphrase(passphrase_file, false);
    if (!phrase) return make_unexpected(phrase.error());
    loaded = crypto::load_key(key.path, *phrase);
  }
  if (loaded) {
    // The key was locked, and NAME.pub is missing or of another key: now it can be mended. Beside a
    // file of another place nothing is written.
    if (key.is_of_home && !key.half) write_public_half(key.path, loaded->public_half());
    return std::move(*loaded);
  }
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
                  "make room, or choose another name or another --home");
  };
  try {
    files::create_directories_durably(path.parent_path());
  } catch (const std::exception& error) {
    return refused(reason_of(error));
  }
  crypto::system_random random;
  const auto made = crypto::key_pair::generate(random);
  if (auto saved = crypto::save_key(path, made, phrase); !saved) {
    return refused(std::string(crypto::to_text(saved.error())));
  }
  write_public_half(path, made.public_half());
  return home_key{name, path, made.public_half(), true};
}

}  // namespace soma::cli
