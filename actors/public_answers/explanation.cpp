#include "actors/public_answers/explanation.hpp"

#include <algorithm>
#include <initializer_list>
#include <set>

#include "actors/explain/subjects.hpp"
#include "messages/values/utf8.hpp"

namespace soma::public_answers {
namespace {

using explain::content;
using explain::field;
using explain::step;

void fill(schema::ExplainedField::Builder out, const field& from) {
  out.setName(from.name);
  auto value = out.initValue();
  std::visit(
      [&](const auto& held) {
        using held_type = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<held_type, bool>) {
          value.setFlag(held);
        } else if constexpr (std::is_same_v<held_type, std::uint64_t>) {
          value.setCount(held);
        } else if constexpr (std::is_same_v<held_type, std::int64_t>) {
          value.setDifference(held);
        } else if constexpr (std::is_same_v<held_type, float>) {
          value.setNumber(held);
        } else if constexpr (std::is_same_v<held_type, std::string>) {
          value.setText(held);
        } else {
          auto list = value.initTexts(static_cast<unsigned>(held.size()));
          for (unsigned i = 0; i < held.size(); ++i) list.set(i, held[i]);
        }
      },
      from.value);
}

template <class Init>
void fill_fields(Init init, const std::vector<field>& from) {
  if (from.empty()) return;
  auto list = init(static_cast<unsigned>(from.size()));
  for (unsigned i = 0; i < from.size(); ++i) fill(list[i], from[i]);
}

void fill(schema::ExplainedStep::Builder out, const step& from) {
  out.setName(from.name);
  out.setText(from.text);
  out.setHasHeight(from.height.has_value());
  if (from.height) out.setHeight(from.height->value);
  if (!from.section.empty()) out.setSection(from.section);
  fill_fields([&](unsigned size) { return out.initFields(size); }, from.fields);
}

template <class Init>
void fill_steps(Init init, const std::vector<step>& from) {
  if (from.empty()) return;
  auto list = init(static_cast<unsigned>(from.size()));
  for (unsigned i = 0; i < from.size(); ++i) fill(list[i], from[i]);
}

std::string text_of(capnp::Text::Reader from) {
  return {from.begin(), from.end()};
}

content read(schema::ExplainedField::Value::Reader from) {
  switch (from.which()) {
    case schema::ExplainedField::Value::FLAG:
      return from.getFlag();
    case schema::ExplainedField::Value::COUNT:
      return from.getCount();
    case schema::ExplainedField::Value::DIFFERENCE:
      return from.getDifference();
    case schema::ExplainedField::Value::NUMBER:
      return from.getNumber();
    case schema::ExplainedField::Value::TEXT:
      return text_of(from.getText());
    case schema::ExplainedField::Value::TEXTS:
      break;
  }
  std::vector<std::string> texts;
  for (const auto& one : from.getTexts()) texts.push_back(text_of(one));
  return texts;
}

template <class List>
std::vector<field> read_fields(const List& from) {
  std::vector<field> all;
  for (const auto& one : from) all.push_back({text_of(one.getName()), read(one.getValue())});
  return all;
}

template <class List>
std::vector<step> read_steps(const List& from) {
  std::vector<step> all;
  for (const auto& one : from) {
    std::optional<block_height> height;
    if (one.getHasHeight()) height = block_height{one.getHeight()};
    all.push_back({text_of(one.getName()), text_of(one.getText()), height,
                   text_of(one.getSection()), read_fields(one.getFields())});
  }
  return all;
}

ledger_refusal refusal_of(explain::naming reason) {
  switch (reason) {
    case explain::naming::not_a_name:
      return ledger_refusal::bad_name;
    case explain::naming::unknown:
      return ledger_refusal::unknown;
    case explain::naming::ambiguous:
      return ledger_refusal::ambiguous;
    case explain::naming::epoch_to_come:
      break;
  }
  return ledger_refusal::not_there_yet;
}

bool is_text(const std::string& text) {
  return is_utf8(text);
}

/// The names of one object of a document.
class names_once {
 public:
  names_once(std::initializer_list<std::string_view> known = {}) : taken_(known) {}
  /// False: it is no plain name, or it was taken before.
  [[nodiscard]] bool take(std::string_view name) {
    return !name.empty() && name.find_first_not_of(plain) == name.npos &&
           taken_.insert(name).second;
  }

 private:
  static constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyz0123456789_";
  std::set<std::string_view> taken_;
};

bool are_fields(const std::vector<explain::field>& all, names_once& names) {
  return std::ranges::all_of(all, [&](const explain::field& one) {
    if (!names.take(one.name)) return false;
    if (const auto* text = std::get_if<std::string>(&one.value)) return is_text(*text);
    const auto* texts = std::get_if<std::vector<std::string>>(&one.value);
    return texts == nullptr || std::ranges::all_of(*texts, is_text);
  });
}

}  // namespace

message<schema::Explanation> to_message(const explain::explanation& what) {
  return message<schema::Explanation>::build([&](auto out) {
    out.setSubject(what.subject);
    out.setId(what.id);
    out.setStatus(what.status);
    out.setSummary(what.summary);
    fill_fields([&](unsigned size) { return out.initFacts(size); }, what.facts);
    if (!what.passages.empty()) {
      auto list = out.initPassages(static_cast<unsigned>(what.passages.size()));
      for (unsigned i = 0; i < what.passages.size(); ++i) {
        auto to = list[i];
        to.setName(what.passages[i].name);
        to.setTitle(what.passages[i].title);
        fill_steps([&](unsigned size) { return to.initSteps(size); }, what.passages[i].steps);
      }
    }
    fill_steps([&](unsigned size) { return out.initNext(size); }, what.next);
  });
}

explain::explanation read_explanation(schema::Explanation::Reader from) {
  explain::explanation what{text_of(from.getSubject()),   text_of(from.getId()),
                            text_of(from.getStatus()),    text_of(from.getSummary()),
                            read_fields(from.getFacts()), {},
                            read_steps(from.getNext())};
  for (const auto& one : from.getPassages()) {
    what.passages.push_back(
        {text_of(one.getName()), text_of(one.getTitle()), read_steps(one.getSteps())});
  }
  return what;
}

bool is_sound(const explain::explanation& what) {
  const auto are_steps = [](const std::vector<explain::step>& all) {
    return std::ranges::all_of(all, [](const explain::step& one) {
      names_once names{"what", "text", "height", "section"};
      return is_text(one.name) && is_text(one.text) && is_text(one.section) &&
             are_fields(one.fields, names);
    });
  };
  names_once facts;
  names_once members{"subject", "id", "status", "summary", "facts", "next", "proven"};
  return is_text(what.subject) && is_text(what.id) && is_text(what.status) &&
         is_text(what.summary) && are_fields(what.facts, facts) && are_steps(what.next) &&
         std::ranges::all_of(what.passages, [&](const explain::passage& one) {
           return members.take(one.name) && is_text(one.title) && are_steps(one.steps);
         });
}

message<schema::Explanation> explanation_answer(const tables::ledger_view& ledger,
                                                schema::GetExplanation::Reader asked) {
  if (asked.getEvents() > max_explained_events) {
    return refused<schema::Explanation>(ledger_refusal::too_many);
  }
  explain::options how;
  how.events = asked.getEvents() == 0 ? usual_explained_events : asked.getEvents();
  how.epoch_events = max_explained_epoch_events;
  const auto found = explain::explain(ledger, text_of(asked.getWhat()), how);
  if (found) return to_message(*found);
  const auto why = found.error().reason == explain::naming::ambiguous
                       ? "it can mean more than one: " + found.error().why
                       : found.error().why;
  return refused<schema::Explanation>(refusal_of(found.error().reason), why);
}

}  // namespace soma::public_answers
