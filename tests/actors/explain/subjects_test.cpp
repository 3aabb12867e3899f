#include "actors/explain/subjects.hpp"

#include "tests/actors/explain/explained_network.hpp"

using namespace soma;
using namespace soma::test;
using explain::naming;

namespace {

/// Two accounts whose ids have the same first digits.
address twin(std::uint8_t last) {
  address id;
  id.value.fill(0xab);
  id.value[31] = last;
  return id;
}

struct told_network {
  std::vector<person> people{somebody(1), somebody(2)};
  explained_network net{genesis(people)};
  model_id model = net.active_models(people[0], 1).front().id;

  static soma::genesis genesis(const std::vector<person>& people) {
    auto made = four_validator_genesis(people);
    made.accounts.push_back({twin(1), {1}});
    made.accounts.push_back({twin(2), {2}});
    return made;
  }
  [[nodiscard]] auto ask(const std::string& text) const {
    return explain::explain(net.store.view(), text);
  }
  [[nodiscard]] explain::explanation told(const std::string& text) const {
    CAPTURE(text);
    const auto found = ask(text);
    REQUIRE(found.has_value());
    return *found;
  }
  [[nodiscard]] naming refused(const std::string& text) const {
    CAPTURE(text);
    const auto found = ask(text);
    REQUIRE_FALSE(found.has_value());
    return found.error().reason;
  }
};

}  // namespace

TEST_CASE("an epoch is named by its number, and anything else by the digits of its id") {
  const told_network w;
  CHECK(w.told("1").subject == "epoch");
  CHECK(w.told(w.model.text()).subject == "model");
  CHECK(w.told(w.model.text().substr(0, 12)).id == w.model.text());
  const auto target = w.net.n.open_targets().front().id;
  CHECK(w.told(target.text().substr(2, 10)).id == target.text());
  CHECK(w.told(w.people[1].where().short_text()).subject == "address");
  // Events may speak of an address that never had an account; this one they don't.
  CHECK(w.refused(id_from<address>(77).text()) == naming::unknown);
}

TEST_CASE("a text that names nothing, or several things, is refused by name") {
  const told_network w;
  CHECK(w.refused("") == naming::not_a_name);
  CHECK(w.refused("alice") == naming::not_a_name);
  CHECK(w.refused("0x12345") == naming::not_a_name);
  CHECK(w.refused("0x" + std::string(65, 'a')) == naming::not_a_name);
  CHECK(w.refused("18446744073709551616") == naming::unknown);  // no number, but 20 digits of an id
  CHECK(w.refused("0xdeadbeef") == naming::unknown);
  CHECK(w.refused("99") == naming::epoch_to_come);
  const auto both = w.ask("0xabababab");
  REQUIRE_FALSE(both.has_value());
  CHECK(both.error().reason == naming::ambiguous);
  CHECK(both.error().why == "address " + twin(1).text() + ", address " + twin(2).text());
  CHECK(w.told(twin(2).text()).id == twin(2).text());
}
