// Random TOML files of every kind that the program reads: sound ones, ones with a single fault, and
// torn or changed ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deploy/soma/command_line.hpp"
#include "model/noise/noise.hpp"
#include "tests/fuzz/commands/command_lines.hpp"

namespace soma::fuzz {

enum class document_kind : std::uint8_t { config, node, genesis, publication, index };
inline constexpr document_kind document_kinds[] = {
    document_kind::config, document_kind::node, document_kind::genesis, document_kind::publication,
    document_kind::index};

struct document {
  document_kind kind = document_kind::config;
  std::string text;
  /// What the reader of this kind must make of it. Nothing is known of a torn or changed one, nor
  /// of what depends on other files.
  expectation reading = expectation::open;
  std::string fault;
};

/// `table` is what bind_verbs() gives; the values of its options are changed.
[[nodiscard]] document random_document(std::vector<cli::bound_verb>& table,
                                       noise::noise_generator& noise);
/// The same, of one kind.
[[nodiscard]] document random_document(document_kind kind, std::vector<cli::bound_verb>& table,
                                       noise::noise_generator& noise);

/// Every text within double quotes, read without escapes: files that the document may name.
[[nodiscard]] std::vector<std::string> quoted_texts(const std::string& text);

}  // namespace soma::fuzz
