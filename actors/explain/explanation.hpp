// The answer of explain: a summary in one sentence, facts under stable names, the steps that
// happened, and the coming deadlines. It is a plain value; the program that prints it decides
// between text and JSON. Texts show ids in their short form and amounts in SOMA; fields hold ids in
// full and amounts in shannons.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/values/amounts.hpp"

namespace soma::explain {

using content =
    std::variant<bool, std::uint64_t, std::int64_t, float, std::string, std::vector<std::string>>;

/// A fact. Names are stable, because programs read them; they end with the unit:
/// "reward_shannons", "ends_at_ms".
struct field {
  std::string name;
  content value;
  friend bool operator==(const field&, const field&) = default;
};

struct step {
  std::string name;                    // stable: "target_filled", "reveal_due"
  std::string text;                    // a sentence for people, without its full stop
  std::optional<block_height> height;  // of the block in which it happened or is due
  std::string section;                 // of the protocol: "8.1"; empty when no section rules it
  std::vector<field> fields;
};

struct passage {
  std::string name;   // stable: "story"
  std::string title;  // "What happened"
  std::vector<step> steps;
};

struct explanation {
  std::string subject;  // "target", "model", "address" or "epoch"
  std::string id;       // in full; a number for an epoch
  std::string status;   // stable: "settled"
  std::string summary;  // the answer in one sentence
  std::vector<field> facts;
  std::vector<passage> passages;
  std::vector<step> next;  // the coming deadlines; empty when the subject has ended
};

/// The step as a line of text: "block 14: 0x12345678 claimed … (protocol §8.1)".
[[nodiscard]] std::string line_of(const step& described);
/// The field of that name; nullptr when there is no such field.
[[nodiscard]] const content* find(const std::vector<field>& fields, std::string_view name);
/// The passage of that name; nullptr when there is no such passage.
[[nodiscard]] const passage* find(const explanation& all, std::string_view name);

}  // namespace soma::explain
