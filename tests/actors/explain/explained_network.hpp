// A small network whose blocks are executed by the rules and stored in a ledger on disk, like those
// of a validator. Tests compare explanations with the effects of the rules.
#pragma once

#include <doctest/doctest.h>

#include "actors/explain/explain.hpp"
#include "messages/signing/signing.hpp"
#include "tests/actors/rules/network.hpp"
#include "tests/support/scratch.hpp"

namespace soma::test {

class explained_network {
 public:
  explicit explained_network(genesis with) : n(with), store(dir.path(), {.map_bytes = 256u << 20}) {
    store.init(encode(n.genesis), rules::genesis_rows(n.genesis));
  }

  /// Queues a transaction under the id of its signed bytes, as a block would have it.
  void send(const person& from, transaction_kind kind) {
    n.send(from, std::move(kind));
    auto& queued = n.queue.back();
    queued.id = signing::id_of(signed_of(queued));
  }
  const rules::effects& block(std::uint64_t step_ms = 10) {
    soma::block made;
    const auto input = n.next_input(step_ms);
    made.header.epoch = n.chain_now().epoch;
    made.header.height = input.height;
    made.header.time_ms = input.time_ms;
    made.header.parent = input.parent;
    for (const auto& t : input.transactions) made.payload.push_back(signed_of(t));
    const auto& done = n.block(step_ms);
    store.commit_block(made, done.changes, done.events);
    for (const auto& e : done.events) all_events.push_back(e);
    return done;
  }
  void blocks(std::uint64_t count) {
    while (count-- > 0) block();
  }
  void end_epoch() { REQUIRE(block(n.genesis.parameters.epoch_ms).epoch_closed); }
  /// Puts one transaction into a block of its own, and requires that it is applied.
  void apply(const person& from, transaction_kind kind) {
    send(from, std::move(kind));
    REQUIRE_FALSE(block().outcomes.back().reason.has_value());
  }
  void refuse(const person& from, transaction_kind kind, rules::refusal why) {
    send(from, std::move(kind));
    REQUIRE(block().outcomes.back().reason == why);
  }
  model_plan commit(const person& owner, std::uint64_t number) {
    auto plan = network::plan(number);
    send(owner, network::commit_of(owner, plan));
    plan.id = signing::model_id_of(n.queue.back().id);
    return plan;
  }
  /// Queues the same verdict of all members.
  void judge(const model_version_ref& version, model_verdict verdict = model_verdict::good) {
    for (const auto& member : n.members()) send(member, tx::vote_on_model{version, verdict});
  }
  std::vector<model_plan> active_models(const person& owner, std::uint64_t count) {
    std::vector<model_plan> models;
    for (std::uint64_t i = 1; i <= count; ++i) models.push_back(commit(owner, i));
    end_epoch();
    for (const auto& m : models) send(owner, network::reveal_of(m));
    for (const auto& m : models) judge({m.id, 1});
    end_epoch();
    return models;
  }
  [[nodiscard]] std::uint64_t height() const { return n.chain_now().height.value; }
  [[nodiscard]] std::uint64_t epoch() const { return n.chain_now().epoch.value; }

  [[nodiscard]] explain::explanation target(const target_id& id) const {
    return *explain::explain_target(store.view(), id);
  }
  [[nodiscard]] explain::explanation model(const model_id& id) const {
    return *explain::explain_model(store.view(), id);
  }
  [[nodiscard]] explain::explanation account(const person& who) const {
    return *explain::explain_address(store.view(), who.where());
  }
  [[nodiscard]] explain::explanation epoch_explained(std::uint64_t epoch) const {
    return *explain::explain_epoch(store.view(), {epoch});
  }

  network n;
  scratch_directory dir;
  tables::ledger_store store;
  std::vector<event> all_events;

 private:
  static signed_transaction signed_of(const rules::block_transaction& t) {
    return {encode(*t.body), {}};
  }
};

/// Four validators of equal power: three are a quorum, two are not.
inline genesis four_validator_genesis(std::span<const person> people, std::size_t validators = 4) {
  auto genesis = small_genesis(validators, people);
  for (auto& v : genesis.validators) v.stake = {2'000 * shannons_per_soma};  // of equal power
  return genesis;
}
inline std::vector<person> four_validators() {
  return {validator_person(900), validator_person(901), validator_person(902),
          validator_person(903)};
}

[[nodiscard]] inline const explain::step* step_of(const std::vector<explain::step>& steps,
                                                  std::string_view what) {
  for (const auto& s : steps) {
    if (s.name == what) return &s;
  }
  return nullptr;
}
[[nodiscard]] inline const explain::step& step_in(const explain::explanation& explained,
                                                  std::string_view passage, std::string_view what) {
  const auto* in = explain::find(explained, passage);
  REQUIRE(in != nullptr);
  const auto* found = step_of(in->steps, what);
  CAPTURE(what);
  REQUIRE(found != nullptr);
  return *found;
}
[[nodiscard]] inline bool has_step(const explain::explanation& explained, std::string_view passage,
                                   std::string_view what) {
  const auto* in = explain::find(explained, passage);
  return in != nullptr && step_of(in->steps, what) != nullptr;
}
[[nodiscard]] inline const explain::step& next_in(const explain::explanation& explained,
                                                  std::string_view what) {
  const auto* found = step_of(explained.next, what);
  CAPTURE(what);
  REQUIRE(found != nullptr);
  return *found;
}
template <class Value = std::uint64_t>
[[nodiscard]] Value value_of(const std::vector<explain::field>& fields, std::string_view name) {
  const auto* found = explain::find(fields, name);
  CAPTURE(name);
  REQUIRE(found != nullptr);
  REQUIRE(std::holds_alternative<Value>(*found));
  return std::get<Value>(*found);
}
template <class Value = std::uint64_t>
[[nodiscard]] Value value_of(const explain::step& s, std::string_view name) {
  return value_of<Value>(s.fields, name);
}
[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
/// Checks that the line of a step holds every part.
inline void check_line(const explain::step& s, std::initializer_list<std::string> parts) {
  const auto line = explain::line_of(s);
  CAPTURE(line);
  for (const auto& part : parts) {
    CAPTURE(part);
    CHECK(contains(line, part));
  }
}

}  // namespace soma::test
