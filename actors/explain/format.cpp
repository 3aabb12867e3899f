// The text of ids, amounts, times and deadlines.
#include <array>
#include <charconv>
#include <chrono>

#include "actors/explain/format.hpp"
#include "messages/codec/codec.hpp"

namespace soma::explain {

std::optional<explain_context> open_context(const tables::ledger_view& view, const options& how) {
  const auto chain = view.chain();
  const auto stored = view.genesis();
  const auto origin = stored ? decode<genesis>(*stored) : expected<genesis, parse_refusal>{};
  if (!chain || !stored || !origin) return std::nullopt;
  return explain_context{view, how, *chain, origin->parameters, origin->start_ms};
}

committee_row present_committee(const explain_context& context) {
  const auto stored = context.view.find_row(committee_key());
  const auto row =
      stored ? decode<committee_row>(*stored) : expected<committee_row, parse_refusal>{};
  return row ? *row : committee_row{};
}

std::string format_value(shannons amount) {
  return to_text(amount);
}
std::string format_value(std::uint64_t number) {
  return std::to_string(number);
}
std::string format_value(block_height height) {
  return std::to_string(height.value);
}
std::string format_value(epoch_number epoch) {
  return std::to_string(epoch.value);
}

std::string format_model(const explain_context& context, const model_version_ref& model) {
  const auto name = context.how.names.find(model.model);
  std::string text = format_text("model ", name == context.how.names.end()
                                               ? format_value(model.model)
                                               : format_text(name->second, " (", model.model, ")"));
  if (model.version > 0) text += format_text(" version ", std::uint64_t{model.version});
  return text;
}

std::string format_pool(const explain_context& context, const pool_owner& pool) {
  if (const auto* model = std::get_if<model_id>(&pool))
    return format_text("the pool of ", format_model(context, {*model, 0}));
  return format_text("the pool of validator ", std::get<address>(pool));
}

std::string format_decimal(double value) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::fixed, 4);
  return end.ec == std::errc() ? std::string(buffer.data(), end.ptr) : "a very large number";
}

float unit_distance(std::uint32_t distance_q30) {
  return static_cast<float>(distance_q30) * 0x1p-30F;
}

std::string format_time(std::uint64_t unix_ms) {
  using namespace std::chrono;
  constexpr std::uint64_t year_9999_ms = 253'402'300'799'999;
  if (unix_ms > year_9999_ms) return format_text(unix_ms, " ms");
  const sys_time<milliseconds> when{milliseconds(unix_ms)};
  const auto day = floor<days>(when);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(when - day));
  const auto two = [](auto number) {
    const auto text = std::to_string(number);
    return text.size() < 2 ? "0" + text : text;
  };
  return std::to_string(static_cast<int>(date.year())) + "-" +
         two(static_cast<unsigned>(date.month())) + "-" + two(static_cast<unsigned>(date.day())) +
         " " + two(clock.hours().count()) + ":" + two(clock.minutes().count()) + ":" +
         two(clock.seconds().count()) + " UTC";
}

std::string format_count(std::uint64_t number, std::string_view noun) {
  return format_text(number, " ", noun, number == 1 ? "" : "s");
}

std::uint64_t earliest_end_ms(const explain_context& context, epoch_number epoch) {
  const std::uint64_t epochs =
      epoch.value < context.chain.epoch.value ? 0 : epoch.value - context.chain.epoch.value + 1;
  return context.chain.epoch_start_ms + epochs * context.parameters.epoch_ms;
}

step due_at_end_of(const explain_context& context, epoch_number epoch, std::string what,
                   const std::string& text, std::string section) {
  const auto end_ms = earliest_end_ms(context, epoch);
  return {std::move(what),
          format_text(text, " (epoch ", epoch, " ends not before ", format_time(end_ms), ")"),
          std::nullopt,
          std::move(section),
          {{"epoch", epoch.value}, {"not_before_ms", end_ms}}};
}

std::string line_of(const step& described) {
  std::string line = described.height
                         ? format_text("block ", *described.height, ": ", described.text)
                         : described.text;
  if (!described.section.empty()) line += " (protocol §" + described.section + ")";
  return line;
}

const content* find(const std::vector<field>& fields, std::string_view name) {
  for (const auto& f : fields) {
    if (f.name == name) return &f.value;
  }
  return nullptr;
}

const passage* find(const explanation& all, std::string_view name) {
  for (const auto& p : all.passages) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

std::string_view to_text(refusal reason) {
  switch (reason) {
    case refusal::no_ledger:
      return "the ledger has no genesis yet";
    case refusal::target_unknown:
      return "the ledger has no such target";
    case refusal::model_unknown:
      return "the ledger has no such model";
    case refusal::address_unknown:
      return "nothing in the ledger concerns this address";
    case refusal::epoch_to_come:
      return "this epoch has not begun";
  }
  return "unknown refusal";
}

}  // namespace soma::explain
