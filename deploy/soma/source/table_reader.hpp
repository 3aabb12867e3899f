// Reads the tables of a node's configuration. Only node_config.cpp includes this file.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/mesh/mesh.hpp"
#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/json.hpp"
#include "deploy/soma/shell/options.hpp"
#include "deploy/soma/shell/units.hpp"

namespace soma::cli {

/// Reads one table name by name. At the end, finish() refuses names in the table that were never
/// read. Only the first refusal is kept.
class table_reader {
 public:
  table_reader(const json* table, std::string where, std::filesystem::path folder)
      : table_(table), where_(std::move(where)), folder_(std::move(folder)) {
    if (table_ != nullptr && table_->as_object() == nullptr) refuse("", "it is not a table");
  }

  [[nodiscard]] std::optional<std::string> text(std::string_view name) {
    const auto* value = take(name);
    if (value == nullptr) return std::nullopt;
    const auto* text = value->as_string();
    if (text == nullptr) {
      refuse(name, "it is not a text in quotes");
    } else if (text->empty()) {
      refuse(name, "it is empty");
    } else if (text->find('\0') != text->npos) {
      refuse(name, "it holds a zero byte");
    } else {
      return *text;
    }
    return std::nullopt;
  }
  void read(std::string_view name, std::filesystem::path& into) {
    if (const auto value = text(name)) into = (folder_ / expanded(*value)).lexically_normal();
  }
  /// An address where this node listens.
  void read(std::string_view name, std::optional<mesh::host_port>& into) {
    if (const auto value = text(name)) accept(name, *value, mesh::parse_host_port(*value), into);
  }
  /// An address to which this node connects.
  void read_remote(std::string_view name, std::optional<mesh::host_port>& into) {
    if (const auto value = text(name)) accept(name, *value, mesh::parse_remote(*value), into);
  }
  template <class Number>
  void read(std::string_view name, Number& into, std::uint64_t least, std::uint64_t most) {
    const auto* value = take(name);
    if (value == nullptr) return;
    const auto [whole, number] = value->unsigned_integer();
    if (!whole || number < least || number > most) {
      return refuse(
          name, "it is not a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    into = static_cast<Number>(number);
  }
  void read(std::string_view name, std::vector<mesh::mesh_peer>& into) {
    const auto* value = take(name);
    if (value == nullptr) return;
    if (value->as_array() == nullptr) return refuse(name, "it is not a list");
    for (const auto& one : *value->as_array()) {
      const auto text = one.as_string() == nullptr ? std::string() : *one.as_string();
      const auto at = text.find('@');
      const auto key = at == text.npos ? std::nullopt : hash256::parse(text.substr(0, at));
      if (!key) return refuse(name, "`" + text + "` is not 0xPUBLICKEY@HOST:PORT", &one);
      std::optional<mesh::host_port> place;
      accept(name, text, mesh::parse_remote(text.substr(at + 1)), place, &one);
      if (!place) return;
      const auto is_same = [&](const mesh::mesh_peer& peer) { return peer.key == key->value; };
      if (std::ranges::any_of(into, is_same)) {
        return refuse(name, "`" + text + "` has the key of another peer", &one);
      }
      into.push_back({key->value, *place});
    }
  }
  void read(std::string_view name, std::vector<std::string>& into) {
    const auto* value = take(name);
    if (value == nullptr) return;
    if (value->as_array() == nullptr) return refuse(name, "it is not a list");
    for (const auto& one : *value->as_array()) {
      if (one.as_string() == nullptr || one.as_string()->empty()) {
        return refuse(name, "it is not a list of texts", &one);
      }
      into.push_back(*one.as_string());
    }
  }
  void read(std::string_view name, bool& into) {
    const auto* value = take(name);
    if (value == nullptr) return;
    if (value->as_bool() == nullptr) return refuse(name, "it is neither true nor false");
    into = *value->as_bool();
  }
  void read(std::string_view name, byte_count& into) {
    const auto value = text(name);
    if (!value) return;
    const auto size = parse_size(*value);
    if (!size) return refuse(name, "it is not a size such as \"64 GiB\"");
    into = *size;
  }
  /// Marks a name as known: a table within this one that another reader reads.
  void leave(std::string_view name) { known_.emplace_back(name); }

  /// `element` is the element of a list that is wrong, if it is one.
  void refuse(std::string_view name, const std::string& why, const json* element = nullptr,
              std::string what_to_do = "see `soma node run --help`") {
    if (refusal_) return;
    refusal_ = failure{
        "the configuration's " + where_ + (name.empty() ? "" : ".") + std::string(name),
        (element != nullptr ? line_of(*element) : place_of(name)) + why, std::move(what_to_do)};
  }
  [[nodiscard]] outcome finish() {
    if (table_ != nullptr && table_->as_object() != nullptr) {
      for (const auto& [name, value] : *table_->as_object()) {
        if (std::ranges::find(known_, name) != known_.end()) continue;
        refuse(name, "there is no such name" + nearest_of(name, known_));
      }
    }
    if (refusal_) return unexpected<failure>(*refusal_);
    return {};
  }

 private:
  /// The line of a member, or of the table if there is no such member.
  [[nodiscard]] std::string place_of(std::string_view name) const {
    const auto* member = table_ == nullptr ? nullptr : table_->find(name);
    if (member != nullptr) return line_of(*member);
    return table_ == nullptr ? "" : line_of(*table_);
  }
  void accept(std::string_view name, const std::string& text,
              const expected<mesh::host_port, mesh::address_refusal>& read,
              std::optional<mesh::host_port>& into, const json* element = nullptr) {
    if (read) {
      into = *read;
      return;
    }
    const auto why = "`" + text + "`: " + std::string(mesh::to_text(read.error()));
    refuse(name, why, element, std::string(mesh::how_to_write_address));
  }
  const json* take(std::string_view name) {
    known_.emplace_back(name);
    return table_ == nullptr ? nullptr : table_->find(name);
  }

  const json* table_;
  std::string where_;
  std::filesystem::path folder_;
  std::vector<std::string> known_;
  std::optional<failure> refusal_;
};

}  // namespace soma::cli
