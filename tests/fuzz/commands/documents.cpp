#include "tests/fuzz/commands/documents.hpp"

#include <algorithm>
#include <utility>

#include "deploy/soma/genesis/genesis_fields.hpp"
#include "tests/fuzz/commands/words.hpp"

namespace soma::fuzz {
namespace {

using cli::bound_verb;
using cli::option;
using cli::value_kind;
using noise::noise_generator;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// A value as TOML. Of the wrong type, it is one that no option of that kind takes.
std::string toml_value(const option& o, bool has_right_type, noise_generator& noise) {
  if (!has_right_type) {
    static const std::vector<std::string> for_all{"{ x = 1 }", "[[1, 2]]", "[{}]"};
    static const std::vector<std::string> no_text{"true", "[true]"};
    static const std::vector<std::string> no_flag{"1", "\"true\"", "1.5", "[]"};
    if (chance(30, noise)) return one_of(for_all, noise);
    if (o.kind == value_kind::flag) return one_of(no_flag, noise);
    return one_of(no_text, noise);
  }
  const auto value = value_for(o, true, noise);
  const bool is_bare =
      o.kind == value_kind::flag || o.kind == value_kind::integer || o.kind == value_kind::number;
  const auto written = is_bare ? value : quoted(value);
  return o.is_list && chance(50, noise) ? "[" + written + ", " + written + "]" : written;
}

std::string with_dots(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, ' ', '.');
  return out;
}

std::string odd_toml_value(noise_generator& noise) {
  static const std::vector<std::string> all{"0",
                                            "-1",
                                            "1.5",
                                            "1e400",
                                            "inf",
                                            "nan",
                                            "0x7f",
                                            "1_000",
                                            "true",
                                            "\"\"",
                                            "''",
                                            "[]",
                                            "{}",
                                            "[1]",
                                            "[[]]",
                                            "[\"a\", 1]",
                                            "{ a = 1}",
                                            "1979-05-27",
                                            "07:32:00",
                                            "x",
                                            "\"\\u0000\"",
                                            "",
                                            "\"\"\"\n\n\"\"\"",
                                            "\"\\x\"",
                                            "\"\\uD800\"",
                                            "9223372036854775807",
                                            "9223372036854775808",
                                            "-9223372036854775808"};
  if (chance(70, noise)) return one_of(all, noise);
  if (chance(50, noise)) return quoted(one_of(odd_texts(), noise));
  return quoted(one_of(odd_paths(), noise));
}

document config(std::vector<bound_verb>& table, noise_generator& noise) {
  document made;
  made.reading = expectation::accepted;
  const auto begin = noise.below(table.size());
  const auto count = 1 + noise.below(3);
  std::string first_table;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto& verb = table[(begin + i) % table.size()];
    const auto name = with_dots(verb.action->name());
    std::string lines;
    std::vector<const option*> given;
    for (const auto& o : verb.options->all()) {
      if (o.is_positional || !chance(30, noise) || contradicts_one_of(o, given)) continue;
      given.push_back(&o);
      const auto key = chance(50, noise) ? o.name : cli::config_name(o.name);
      lines += key + " = " + toml_value(o, true, noise) + "\n";
    }
    made.text += "[" + name + "]\n" + lines;
    if (i == 0) first_table = name;
  }
  if (chance(50, noise)) return made;
  made.reading = expectation::refused;
  const auto& verb = table[begin];
  switch (noise.below(5)) {
    case 0:
      made.fault = "an unknown table";
      made.text += "[" + misspelled("model", noise) + "x.nothing]\nseed = 1\n";
      break;
    case 1:
      made.fault = "an unknown option";
      made.text = "[" + first_table + "]\nno_such_option = 1\n";
      break;
    case 2:
      made.fault = "a table within the table of a verb";
      made.text = "[" + first_table + ".extra]\nx = 1\n";
      break;
    case 3: {
      made.fault = "a value of a wrong type";
      std::vector<const option*> known;
      for (const auto& o : verb.options->all()) {
        if (!o.is_positional) known.push_back(&o);
      }
      if (known.empty()) {
        made.text = "[" + first_table + "]\nno_such_option = true\n";
        break;
      }
      const auto& o = *one_of(known, noise);
      made.text = "[" + first_table + "]\n" + o.name + " = " + toml_value(o, false, noise) + "\n";
      break;
    }
    default:
      made.fault = "a value in place of a table";
      made.text = first_table + " = " + (chance(50, noise) ? "5" : "[[1]]") + "\n";
  }
  return made;
}

/// `lines` with a few left out, doubled or given an odd value.
std::string disordered(const std::vector<std::string>& lines, noise_generator& noise) {
  std::string out;
  for (const auto& line : lines) {
    const auto equals = line.find(" = ");
    if (chance(8, noise)) continue;
    if (equals != std::string::npos && chance(12, noise)) {
      out += line.substr(0, equals) + " = " + odd_toml_value(noise) + "\n";
    } else if (equals != std::string::npos && chance(4, noise)) {
      out += misspelled(line.substr(0, equals), noise) + line.substr(equals) + "\n";
    } else {
      out += line + "\n";
    }
    if (chance(2, noise)) out += line + "\n";
  }
  return out;
}

document node(noise_generator& noise) {
  static const std::string id = std::string(64, 'a');
  static const std::vector<std::string> lines{"[node]",
                                              "home = \".\"",
                                              "[tls]",
                                              "certificate = \"tls/validator-1.pem\"",
                                              "key = \"tls/validator-1.key\"",
                                              "ca = \"tls/ca.pem\"",
                                              "[roles.blob_store]",
                                              "quota = \"1 GiB\"",
                                              "listen = \"127.0.0.1:0\"",
                                              "[roles.scorer]",
                                              "workers = 1",
                                              "[roles.model_registry]",
                                              "[roles.router]",
                                              "[roles.target_generator]",
                                              "[roles.validator]",
                                              "listen = \"127.0.0.1:0\"",
                                              "mesh = \"127.0.0.1:0\"",
                                              "genesis = \"genesis.bin\"",
                                              "key = \"validator.key\"",
                                              "votes = \"validator.votes\"",
                                              "peers = []",
                                              "block_ms = 100",
                                              "idle_ms = 1000",
                                              "view_timeout_ms = 1500",
                                              "listen_ms = 3000",
                                              "sync = \"blocks\"",
                                              "snapshots = \"keep\"",
                                              "trusted_end = \"3:0x" + id + "\""};
  document made;
  made.text = disordered(lines, noise);
  if (chance(10, noise)) made.text += "[roles.oracle]\n";
  if (chance(10, noise)) made.text += "[roles.router.deep]\nx = 1\n";
  if (chance(10, noise)) made.text += "[[roles]]\n";
  return made;
}

document genesis(noise_generator& noise) {
  std::vector<std::string> lines{"name = \"net\"", "start_ms = 1700000000000", "[parameters]",
                                 "architecture = \"tiny\"", "epoch_ms = 60000"};
  for (const auto& field : cli::genesis_fields()) {
    if (field.name == "architecture" || field.name == "epoch_ms" || !chance(15, noise)) continue;
    const auto value = chance(70, noise) ? std::to_string(noise.below(5)) : odd_toml_value(noise);
    lines.push_back(std::string(field.name) + " = " + value);
  }
  for (const auto* line :
       {"[[accounts]]", "owner = \"alice\"", "balance = \"12.5\"", "[[validators]]",
        "key = \"genesis_made.key\"", "stake = \"5000\"", "[[validators]]",
        "public_key = \"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
        "stake = 5000"}) {
    lines.emplace_back(line);
  }
  document made;
  made.text = disordered(lines, noise);
  if (!chance(20, noise)) return made;
  made.reading = expectation::refused;
  made.fault = "a name without a meaning at the top";
  made.text = "no_such_name = 1\nname = \"net\"\n";
  return made;
}

document publication(noise_generator& noise) {
  static const auto hex = [](std::size_t size) { return "\"" + std::string(2 * size, '5') + "\""; };
  static const auto id = "\"0x" + std::string(64, '5') + "\"";
  static const std::vector<std::string> lines{"chain = " + id,
                                              "owner = " + id,
                                              "weights = " + id,
                                              "salt = " + id,
                                              "key = " + hex(32),
                                              "iv = " + hex(16),
                                              "embedding = " + hex(64),
                                              "stake_shannons = 7",
                                              "commission_bps = 100",
                                              "published = false",
                                              "update_of = " + id,
                                              "commit_body = " + hex(40),
                                              "commit_signature = " + hex(64),
                                              "commit_expiry = 5",
                                              "commit_nonce = 1"};
  document made;
  made.text = disordered(lines, noise);
  if (!chance(20, noise)) return made;
  made.reading = expectation::refused;
  made.fault = "a part is missing";
  made.text = lines[0] + "\n" + lines[1] + "\n";
  return made;
}

document index(noise_generator& noise) {
  static const std::vector<std::string> lines{
      "seed = 5", "architecture = \"tiny\"", "state_root = \"0x" + std::string(64, 'b') + "\"",
      "[models]", "0x" + std::string(64, 'c') + " = \"zebra\""};
  document made;
  made.text = disordered(lines, noise);
  if (!chance(20, noise)) return made;
  made.reading = expectation::refused;
  made.fault = "an id that is none";
  made.text = "[models]\nnobody = \"x\"\n";
  return made;
}

/// A change may have put a slash before a path. No file outside of the sandbox shall be named, and
/// a genesis makes the keys that it names.
std::string without_roots(std::string text) {
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    const bool begins = text[at] == '"' || text[at] == '\'';
    if (begins && text[at + 1] == '/' && !text.substr(at + 1).starts_with("/proc/")) {
      text[at + 1] = '.';
    }
  }
  return text;
}

/// Tears a text, or changes a few of its bytes and lines.
std::string changed(std::string text, noise_generator& noise) {
  static const std::vector<std::string> odd{
      "\"", "[",    "]",  "{",    "}",    "=", "\n", "#",      ".",  "'''",
      "\\", "\xff", "\t", "\r\n", "\x01", "-", "[[", "\"\"\"", "0x", "\xef\xbb\xbf"};
  for (auto left = 1 + noise.below(3); left > 0; --left) {
    const auto at = noise.below(text.size() + 1);
    switch (noise.below(6)) {
      case 0:
        text.resize(at);
        break;
      case 1:
        text.insert(at, one_of(odd, noise));
        break;
      case 2:
        text.erase(at, 1 + noise.below(8));
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(1 + noise.below(255));
        break;
      case 4:
        text.insert(at, text.substr(noise.below(text.size() + 1), noise.below(60)));
        break;
      default:  // deep within each other, or long
        text.insert(at, std::string(noise.below(3000), chance(50, noise) ? '[' : 'x'));
    }
  }
  return without_roots(std::move(text));
}

}  // namespace

document random_document(document_kind kind, std::vector<bound_verb>& table,
                         noise_generator& noise) {
  auto made = kind == document_kind::config        ? config(table, noise)
              : kind == document_kind::node        ? node(noise)
              : kind == document_kind::genesis     ? genesis(noise)
              : kind == document_kind::publication ? publication(noise)
                                                   : index(noise);
  made.kind = kind;
  if (chance(35, noise)) {
    made.text = changed(std::move(made.text), noise);
    made.reading = expectation::open;
  }
  return made;
}

document random_document(std::vector<bound_verb>& table, noise_generator& noise) {
  // Half of them are configurations, since these have the most names.
  if (chance(50, noise)) return random_document(document_kind::config, table, noise);
  return random_document(document_kinds[noise.below(std::size(document_kinds))], table, noise);
}

std::vector<std::string> quoted_texts(const std::string& text) {
  std::vector<std::string> found;
  for (auto at = text.find('"'); at != std::string::npos; at = text.find('"', at)) {
    const auto end = text.find('"', at + 1);
    if (end == std::string::npos) break;
    found.push_back(text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return found;
}

}  // namespace soma::fuzz
