#include "actors/public_answers/explanation.hpp"

#include "actors/explain/subjects.hpp"
#include "messages/codec/model_entry.hpp"
#include "tests/actors/explain/explained_network.hpp"

using namespace soma;
using namespace soma::test;
using namespace soma::public_answers;

namespace {

message<schema::GetExplanation> question(const std::string& what, std::uint32_t events = 0) {
  return message<schema::GetExplanation>::build([&](auto out) {
    out.setWhat(what);
    out.setEvents(events);
  });
}

void check_same(const std::vector<explain::step>& a, const std::vector<explain::step>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name == b[i].name);
    CHECK(a[i].text == b[i].text);
    CHECK(a[i].height == b[i].height);
    CHECK(a[i].section == b[i].section);
    CHECK(a[i].fields == b[i].fields);
  }
}

}  // namespace

TEST_CASE("an explanation arrives as the ledger tells it") {
  const std::vector<person> people{somebody(1), somebody(2)};
  explained_network net(four_validator_genesis(people));
  const auto model = net.active_models(people[0], 1).front().id;
  const auto target = net.n.open_targets().front();
  net.apply(people[1], submission_for(target, people[1], 9).claim);
  for (const auto& what : {model.text(), target.id.text(), people[0].where().text(),
                           std::string("1"), std::string("0")}) {
    CAPTURE(what);
    const auto here = explain::explain(net.store.view(), what);
    REQUIRE(here.has_value());
    const auto sent = explanation_answer(net.store.view(), question(what).root());
    const auto received = message<schema::Explanation>::parse(sent.bytes());
    REQUIRE(received.has_value());
    const auto there = read_explanation(received->root());
    CHECK(is_sound(there));
    CHECK(there.subject == here->subject);
    CHECK(there.id == here->id);
    CHECK(there.status == here->status);
    CHECK(there.summary == here->summary);
    CHECK(there.facts == here->facts);
    check_same(there.next, here->next);
    REQUIRE(there.passages.size() == here->passages.size());
    for (std::size_t i = 0; i < there.passages.size(); ++i) {
      CHECK(there.passages[i].name == here->passages[i].name);
      CHECK(there.passages[i].title == here->passages[i].title);
      check_same(there.passages[i].steps, here->passages[i].steps);
    }
  }
}

TEST_CASE("every kind of field arrives with its value") {
  explain::explanation all{"model", "0x1", "active", "one sentence", {}, {}, {}};
  all.facts = {{"flag", false},
               {"count", ~std::uint64_t{0}},
               {"less", std::int64_t{-5}},
               {"loss", 1.25F},
               {"text", std::string()},
               {"texts", std::vector<std::string>{"a", ""}},
               {"none", std::vector<std::string>{}}};
  const auto there = read_explanation(to_message(all).root());
  CHECK(there.facts == all.facts);
  CHECK(there.passages.empty());
  CHECK(there.next.empty());
}

TEST_CASE("what cannot be explained is refused by name, and limits hold") {
  const std::vector<person> people{somebody(1)};
  explained_network net(four_validator_genesis(people));
  net.block();
  const auto refused_as = [&](const std::string& what, std::uint32_t events = 0) {
    const auto answer = explanation_answer(net.store.view(), question(what, events).root());
    REQUIRE(answer.root().getRefusal().isLedger());
    CHECK(!why_of(answer.root().getRefusal()).empty());
    return answer.root().getRefusal().getLedger();
  };
  CHECK(refused_as("alice") == schema::LedgerRefusal::BAD_NAME);
  CHECK(refused_as("0xdeadbeef") == schema::LedgerRefusal::UNKNOWN);
  CHECK(refused_as("99") == schema::LedgerRefusal::NOT_THERE_YET);
  CHECK(refused_as("0", max_explained_events + 1) == schema::LedgerRefusal::TOO_MANY);
  const auto few = explanation_answer(net.store.view(), question("0", max_explained_events).root());
  CHECK(few.root().getRefusal().isNone());
}

TEST_CASE("an explanation whose names or texts readers could read differently is not sound") {
  explain::explanation good;
  good.facts = {{"height", std::uint64_t{7}}, {"models", std::vector<std::string>{"a", "b"}}};
  good.passages = {{"story", "What happened", {{"filled", "it is filled", {}, "", {}}}}};
  good.next = good.passages.front().steps;
  CHECK(is_sound(good));
  using change = void (*)(explain::explanation&);
  for (const change spoil : {
           change([](auto& it) { it.facts.push_back(it.facts.front()); }),
           change([](auto& it) { it.facts.front().name = ""; }),
           change([](auto& it) { it.facts.front().name = "\x1b[2J"; }),
           change([](auto& it) { it.facts.front().value = std::string("\xff"); }),
           change([](auto& it) { it.facts.back().value = std::vector<std::string>{"\xff"}; }),
           change([](auto& it) { it.passages.push_back(it.passages.front()); }),
           change([](auto& it) { it.passages.front().name = "proven"; }),
           change([](auto& it) { it.passages.front().title = "\xff"; }),
           change([](auto& it) {
             it.next.front().fields = {{"text", true}};
           }),
           change([](auto& it) { it.next.front().text = "\xc0\x80"; }),
           change([](auto& it) { it.summary = "\xff"; }),
       }) {
    auto bad = good;
    spoil(bad);
    CHECK(!is_sound(bad));
  }
}
