#include "deploy/soma/stake/stake_history.hpp"

#include <doctest/doctest.h>

using namespace soma;
using namespace soma::cli;

namespace {

const address holder{{1}}, other{{2}};
const model_id model{{7}};

event about_model(event_kind kind, std::uint64_t amount, std::uint64_t detail = 0,
                  std::uint64_t epoch = 1) {
  event one;
  one.kind = kind;
  one.model.model = model;
  one.model.version = 1;
  one.account = holder;
  one.amount.value = amount;
  one.detail = detail;
  one.epoch.value = epoch;
  return one;
}

}  // namespace

TEST_CASE("the principal is what was locked, less the part of the shares that has left") {
  std::vector<event> events{about_model(event_kind::model_committed, 100),
                            about_model(event_kind::stake_joined, 60, 50)};
  CHECK(principal_of(events, model, holder, {}, 150) == shannons{160});
  events.push_back(about_model(event_kind::stake_withdrawn, 0, 75));
  CHECK(principal_of(events, model, holder, {}, 150) == shannons{160});  // it leaves later
  events.push_back(about_model(event_kind::stake_left, 90));
  CHECK(principal_of(events, model, holder, {}, 75) == shannons{80});
  // An update of the model has founded nothing: its deposit has an event of its own.
  events.push_back(about_model(event_kind::model_committed, 10));
  events.back().model.version = 2;
  CHECK(principal_of(events, model, holder, {}, 75) == shannons{80});
  // Events of other pools and holders do not count.
  events.push_back(about_model(event_kind::stake_joined, 5, 5));
  events.back().account = other;
  events.push_back(about_model(event_kind::stake_joined, 5, 5));
  events.back().model.model.value[0] = 8;
  CHECK(principal_of(events, model, holder, {}, 75) == shannons{80});
}

TEST_CASE("events that do not lead to the shares that are there give no principal") {
  const std::vector<event> events{about_model(event_kind::model_committed, 100)};
  CHECK(principal_of(events, model, holder, {}, 100) == shannons{100});
  CHECK_FALSE(principal_of(events, model, holder, {}, 95));  // an owner's shares were slashed
  CHECK_FALSE(principal_of({}, model, holder, {}, 100));     // earlier events are missing
}

TEST_CASE(
    "a validator's pool begins with the genesis or with the joining, and a deposit adds to it") {
  event joined;
  joined.kind = event_kind::validator_joined;
  joined.account = holder;
  joined.amount.value = 40;
  CHECK(principal_of(std::vector{joined}, holder, holder, {}, 40) == shannons{40});
  auto added = joined;
  added.kind = event_kind::stake_added;
  CHECK(principal_of(std::vector{added, joined}, holder, holder, {30}, 30) == shannons{30});
}

TEST_CASE("the rewards of a pool are summed by epoch, each kind of pool from its own events") {
  event paid;
  paid.kind = event_kind::validator_paid;
  paid.account = holder;
  paid.amount.value = 9;
  paid.epoch.value = 2;
  const std::vector<event> events{about_model(event_kind::model_paid, 3),
                                  about_model(event_kind::model_paid, 4),
                                  about_model(event_kind::model_paid, 5, 0, 2), paid};
  CHECK(rewards_of(events, model) == epoch_sums{{epoch_number{1}, {7}}, {epoch_number{2}, {5}}});
  CHECK(rewards_of(events, holder) == epoch_sums{{epoch_number{2}, {9}}});
}
