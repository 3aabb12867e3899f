// How ids, amounts, times and deadlines read.
#include <array>
#include <charconv>
#include <chrono>

#include "actors/explain/narrate.hpp"
#include "messages/types/codec.hpp"

namespace soma::explain {

std::optional<telling> begin_telling(const storage::ledger_view& view, const options& how) {
  const auto chain = view.chain();
  const auto stored = view.genesis();
  const auto born = stored ? decode<genesis>(*stored) : expected<genesis, parse_refusal>{};
  if (!chain || !stored || !born) return std::nullopt;
  return telling{view, how, *chain, born->parameters, born->start_ms};
}

std::string shown(shannons amount) {
  return to_text(amount);
}
std::string shown(std::uint64_t number) {
  return std::to_string(number);
}
std::string shown(block_height height) {
  return std::to_string(height.value);
}
std::string shown(epoch_number epoch) {
  return std::to_string(epoch.value);
}

std::string shown_model(const telling& t, const model_version_ref& model) {
  const auto name = t.how.names.find(model.model);
  std::string text =
      say("model ", name == t.how.names.end() ? shown(model.model)
                                              : say(name->second, " (", model.model, ")"));
  if (model.version > 0) text += say(" version ", std::uint64_t{model.version});
  return text;
}

std::string shown_pool(const telling& t, const pool_owner& pool) {
  if (const auto* model = std::get_if<model_id>(&pool))
    return say("the pool of ", shown_model(t, {*model, 0}));
  return say("the pool of validator ", std::get<address>(pool));
}

std::string shown_decimal(double value) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::fixed, 4);
  return end.ec == std::errc() ? std::string(buffer.data(), end.ptr) : "a very large number";
}

float unit_distance(std::uint32_t distance_q30) {
  return static_cast<float>(distance_q30) * 0x1p-30F;
}

std::string shown_time(std::uint64_t unix_ms) {
  using namespace std::chrono;
  constexpr std::uint64_t year_9999_ms = 253'402'300'799'999;
  if (unix_ms > year_9999_ms) return say(unix_ms, " ms");
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

std::string counted(std::uint64_t number, std::string_view noun) {
  return say(number, " ", noun, number == 1 ? "" : "s");
}

std::uint64_t earliest_end_ms(const telling& t, epoch_number epoch) {
  const std::uint64_t epochs =
      epoch.value < t.chain.epoch.value ? 0 : epoch.value - t.chain.epoch.value + 1;
  return t.chain.epoch_start_ms + epochs * t.parameters.epoch_ms;
}

step due_at_end_of(const telling& t, epoch_number epoch, std::string what, const std::string& text,
                   std::string section) {
  const auto end_ms = earliest_end_ms(t, epoch);
  return {std::move(what),
          say(text, " (epoch ", epoch, " ends not before ", shown_time(end_ms), ")"),
          std::nullopt,
          std::move(section),
          {{"epoch", epoch.value}, {"not_before_ms", end_ms}}};
}

std::string line_of(const step& told) {
  std::string line = told.height ? say("block ", *told.height, ": ", told.text) : told.text;
  if (!told.section.empty()) line += " (protocol §" + told.section + ")";
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
