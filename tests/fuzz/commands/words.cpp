#include "tests/fuzz/commands/words.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace soma::fuzz {
namespace {

std::string long_path() {
  std::string path;
  for (int i = 0; i < 2500; ++i) path += "d/";
  return path + "x";
}

}  // namespace

const std::vector<std::string>& odd_paths() {
  static const std::vector<std::string> all{
      "data.txt",
      "./data.txt",
      "folder/../data.txt",
      "data.txt/",
      "data.txt/below",
      "empty",
      "keep.txt",
      "folder",
      "folder/a.txt",
      "folder/new",
      "fifo",
      "full",
      "null",
      "zero",
      "loop",
      "dangling",
      "link",
      "sparse",
      "locked",
      "readonly/r.txt",
      "readonly/new",
      "readonly",
      "missing/deep/new",
      "new",
      "new2",
      ".",
      "",
      "~",
      "~/new",
      "~nobody/new",
      "w.safetensors",
      "net",
      "net/genesis.bin",
      "net/validator-1",
      "net/validator-1/node.toml",
      "net/validator-1/validator.key",
      "net/ca/ca.pem",
      "home",
      "home/keys/alice.pem",
      "home/keys/alice.pub",
      "home/keys/new.pem",
      "home/certificates/me.pem",
      "home/certificates/me.key",
      "home/ca",
      "home/ca/ca.pem",
      "secret",
      "config.toml",
      "genesis.toml",
      "odd name.txt",
      "/proc/self/environ",
      "/proc/self/fd/0",
      "bad\xff\xfe",
      "new\nline",
      "-",
      "--",
      std::string(300, 'n'),
      long_path(),
  };
  return all;
}

const std::vector<std::string>& odd_numbers() {
  static const std::vector<std::string> all{
      "0",
      "1",
      "2",
      "3",
      "-1",
      "-0",
      "+1",
      "00",
      "1e3",
      "1.5",
      ".5",
      "5.",
      "0x10",
      " 1",
      "1 ",
      "1,000",
      "4294967295",
      "4294967296",
      "2147483648",
      "9223372036854775807",
      "-9223372036854775808",
      "-9223372036854775809",
      "18446744073709551615",
      "18446744073709551616",
      "99999999999999999999999999",
      "nan",
      "inf",
      "-inf",
      "1e308",
      "1e309",
      "1e-320",
      "\xef\xbc\x91",
      std::string(4000, '9'),
  };
  return all;
}

const std::vector<std::string>& odd_sizes() {
  static const std::vector<std::string> all{
      "0",     "0KiB",  "1",    "4KiB",   "1GiB",   "16EiB", "18446744073709551615B", "1.5MB",
      "2 MB",  "-1KiB", "1.5B", "nanKiB", "1e3KiB", "KiB",   "18014398509481984KiB",  "1TB",
      "1kibi", "1K",
  };
  return all;
}

const std::vector<std::string>& odd_texts() {
  static const std::string id = "0x" + std::string(64, 'a');
  static const std::vector<std::string> all{
      "alice",
      "bob",
      "me",
      "newname",
      "validator-1",
      "",
      " ",
      "a/b",
      ".",
      "-x",
      "--",
      "---",
      "0x",
      "0x12",
      "0xaaaaaaaa",
      id,
      id + "0",
      "0x" + std::string(64, '0'),
      "0x" + std::string(64, 'g'),
      "127.0.0.1:1",
      "tls://127.0.0.1:1",
      "127.0.0.1:0",
      "localhost:99999",
      "::1:22",
      "[::1]:1",
      ":1",
      "12.5",
      "12.5SOMA",
      "-3",
      "1sh",
      "0.0000000001",
      "99999999999999999999",
      "alice=5",
      "alice=",
      "=5",
      "=",
      "a=b=c",
      "new.key",
      "new.key=7",
      "epoch_ms=5",
      "epoch_ms=0",
      "hits_wanted=18446744073709551615",
      "tiny",
      "1,16,2,32,16",
      "1,2,3,4,5",
      "4294967295,4294967295,4294967295,4294967295,4294967295",
      "0..5",
      "5..0",
      "0..18446744073709551615",
      "0.5",
      "\xff\xfe",
      "\x01\x1b[31m",
      "new\nline",
      "tab\there",
      "%s%n%d",
      "\xc3\xa9",
      "\xf0\x9f\x98\x80",
      "$HOME",
      "`true`",
      std::string(70'000, 'x'),
  };
  return all;
}

std::string misspelled(std::string word, noise::noise_generator& noise) {
  const auto before = word;
  while (word == before) {
    const auto at = noise.below(word.size() + 1);
    switch (noise.below(4)) {
      case 0:
        if (word.size() > 1 && at < word.size()) word.erase(at, 1);
        break;
      case 1:
        if (at < word.size()) word.insert(at, 1, word[at]);
        break;
      case 2:
        if (at + 1 < word.size()) std::swap(word[at], word[at + 1]);
        break;
      default:
        word.insert(at, 1, static_cast<char>('a' + noise.below(26)));
    }
  }
  return word;
}

std::string shell_quoted(std::string_view word) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=:,+@").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string(word);
  std::string out = "$'";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      std::array<char, 5> text{};  // three octal digits, so that no digit after them is swallowed
      std::snprintf(text.data(), text.size(), "\\%03o", byte);
      out += text.data();
    } else {
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + "'";
}

}  // namespace soma::fuzz
