#include "actors/public_answers/event_page.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

#include "messages/codec/codec.hpp"
#include "tests/storage/tables/ledger_chain.hpp"

using namespace soma;
using namespace soma::public_answers;
using enum ledger_refusal;

namespace {

struct placed {
  std::uint64_t height = 0;
  std::uint32_t index = 0;
  event content;
  friend bool operator==(const placed&, const placed&) = default;
};

template <class Id>
Id id_of_number(std::uint64_t number) {
  Id id;
  if (number > 0) id.value.fill(static_cast<std::uint8_t>(number));
  return id;
}

/// Blocks of random events that name a few ids.
struct event_ledger {
  explicit event_ledger(std::uint64_t seed, std::uint64_t blocks, std::uint64_t most_events)
      : random(seed), store(folder.path(), {.map_bytes = std::size_t{1} << 28, .sync = false}) {
    store.init(test::genesis_bytes(), std::vector<row_change>{{chain_key(), encode(chain_row{})}},
               std::vector<event>{next_event(0)});
    all.push_back({0, 0, made});
    for (std::uint64_t i = 0; i < blocks; ++i) grow(random() % (most_events + 1));
  }
  void grow(std::uint64_t events) {
    auto block = test::make_block(store.view().height().value + 1, {});
    const auto height = block.content.header.height.value;
    for (std::uint32_t i = 0; i < events; ++i) {
      block.events.push_back(next_event(height));
      all.push_back({height, i, block.events.back()});
    }
    block.commit_to(store);
  }
  const event& next_event(std::uint64_t height) {
    made = {};
    made.height = {height};
    made.kind = static_cast<event_kind>(random() % 5);
    made.target = id_of_number<target_id>(random() % 4);
    made.model.model = id_of_number<model_id>(random() % 4);
    made.account = id_of_number<address>(random() % 6);
    made.other = id_of_number<address>(random() % 6);
    made.amount = {random()};
    return made;
  }

  std::mt19937_64 random;
  event made;
  std::vector<placed> all;
  test::scratch_directory folder;
  tables::ledger_store store;
};

struct wanted {
  wanted(std::uint64_t of_target = 0, std::uint64_t of_model = 0, std::uint64_t of_account = 0,
         std::set<event_kind> of_kinds = {})
      : target(of_target), model(of_model), account(of_account), kinds(std::move(of_kinds)) {}
  std::uint64_t target, model, account;  // 0: any
  std::set<event_kind> kinds;            // empty: any

  [[nodiscard]] bool fits(const event& e) const {
    const auto who = id_of_number<address>(account);
    return (kinds.empty() || kinds.contains(e.kind)) &&
           (target == 0 || e.target == id_of_number<target_id>(target)) &&
           (model == 0 || e.model.model == id_of_number<model_id>(model)) &&
           (account == 0 || e.account == who || e.other == who);
  }
};

message<schema::EventPage> ask(const tables::ledger_store& store, const wanted& filter,
                               std::uint64_t height, std::uint32_t index, std::uint32_t most) {
  const auto asked = message<schema::GetEvents>::build([&](auto out) {
    out.setFromHeight(height);
    out.setFromIndex(index);
    out.setMost(most);
    if (!filter.kinds.empty()) {
      auto list = out.initKinds(static_cast<unsigned>(filter.kinds.size()));
      unsigned at = 0;
      for (const auto kind : filter.kinds) {
        list.set(at++, static_cast<schema::EventKind>(static_cast<std::uint16_t>(kind)));
      }
    }
    const auto set = [](auto number, auto&& setter) {
      const auto id = id_of_number<hash256>(number);
      if (number != 0) setter(data_of(id));
    };
    set(filter.target, [&](auto data) { out.setTarget(data); });
    set(filter.model, [&](auto data) { out.setModel(data); });
    set(filter.account, [&](auto data) { out.setAddress(data); });
  });
  return event_page_answer(store.view(), asked.root());
}

/// A stream that a client reads page by page.
struct stream {
  explicit stream(wanted what) : filter(std::move(what)) {}
  wanted filter;
  std::uint64_t height = 0;
  std::uint32_t index = 0;
  std::vector<placed> seen;
  std::size_t pages = 0;

  void read(const tables::ledger_store& store, std::uint32_t most) {
    for (bool more = true; more;) {
      const auto page = ask(store, filter, height, index, most);
      const auto root = page.root();
      REQUIRE_FALSE(is_refused(root.getRefusal()));
      CHECK(root.getEvents().size() <= most);
      for (const auto& one : root.getEvents()) {
        seen.push_back({one.getHeight(), one.getIndex(), *decode<event>(view_of(one.getEvent()))});
      }
      height = root.getNextHeight();
      index = root.getNextIndex();
      more = root.getMore();
      ++pages;
    }
    CHECK(height == store.view().height().value + 1);
  }
};

std::vector<placed> expected_of(const event_ledger& ledger, const wanted& filter) {
  std::vector<placed> fitting;
  for (const auto& one : ledger.all) {
    if (filter.fits(one.content)) fitting.push_back(one);
  }
  return fitting;
}

}  // namespace

TEST_CASE("streams with any filter see each fitting event once, while blocks are added") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    event_ledger ledger(seed, 20, 12);
    std::vector<stream> streams;
    streams.emplace_back(wanted());
    streams.emplace_back(
        wanted(0, 0, 0, {static_cast<event_kind>(seed % 5), event_kind::transferred}));
    for (std::uint64_t i = 1; i < 4; ++i) {
      streams.emplace_back(wanted(i));
      streams.emplace_back(wanted(0, i, i));
      streams.emplace_back(wanted(0, 0, i, {event_kind::transferred}));
      streams.emplace_back(wanted(i, 1 + seed % 3));
    }
    for (int round = 0; round < 4; ++round) {
      for (auto& s : streams) s.read(ledger.store, 1 + ledger.random() % 9);
      for (int i = 0; i < 3; ++i) ledger.grow(ledger.random() % 8);
    }
    for (auto& s : streams) {
      s.read(ledger.store, 1'024);
      CHECK(s.seen == expected_of(ledger, s.filter));
    }
    CHECK(streams[0].seen == ledger.all);
  }
}

TEST_CASE("an answer looks at a bounded number of events, and goes on where it stopped") {
  event_ledger ledger(9, 0, 0);
  for (int i = 0; i < 3; ++i) ledger.grow(2'000);
  // No event has this kind: the answers are empty until the end.
  stream nothing(wanted(0, 0, 0, {event_kind::epoch_ended}));
  nothing.read(ledger.store, 10);
  CHECK(nothing.seen.empty());
  CHECK(nothing.pages == 2);
  // This id has more events than the walk over its index may read.
  stream often(wanted(1));
  often.read(ledger.store, 1'024);
  CHECK(often.seen.size() > max_walked_back);
  CHECK(often.seen == expected_of(ledger, often.filter));
  stream rare(wanted(77));
  rare.read(ledger.store, 1);
  CHECK(rare.pages == 1);
}

TEST_CASE("a place behind the newest block waits there, and wrong questions are refused by name") {
  event_ledger ledger(3, 5, 5);
  const auto ahead = ask(ledger.store, {}, 100, 7, 1);
  CHECK(ahead.root().getNextHeight() == 100);
  CHECK(ahead.root().getNextIndex() == 7);
  CHECK_FALSE(ahead.root().getMore());
  CHECK(ahead.root().getHeight() == 5);
  const auto refusal = [&](auto change) {
    const auto asked = message<schema::GetEvents>::build([&](auto out) {
      out.setMost(1);
      change(out);
    });
    const auto answer = event_page_answer(ledger.store.view(), asked.root());
    const auto why = answer.root().getRefusal();
    return why.isLedger() ? std::optional(refusal_of_schema<ledger_refusal>(why.getLedger()))
                          : std::nullopt;
  };
  const bytes short_id(31, 1), zero_id(32, 0);
  CHECK(refusal([](auto) {}) == std::nullopt);
  CHECK(refusal([](auto out) { out.setMost(0); }) == too_few);
  CHECK(refusal([](auto out) { out.setMost(1'025); }) == too_many);
  CHECK(refusal([](auto out) { out.initKinds(65); }) == too_many);
  CHECK(refusal([&](auto out) { out.setTarget(data_of(short_id)); }) == bad_filter);
  CHECK(refusal([&](auto out) { out.setModel(data_of(zero_id)); }) == bad_filter);
  CHECK(refusal([&](auto out) { out.setAddress(data_of(short_id)); }) == bad_filter);
}

TEST_CASE("a ledger that began from a snapshot refuses places before its first block") {
  const test::scratch_directory folder;
  tables::ledger_store store(folder.path(), {.map_bytes = std::size_t{1} << 26, .sync = false});
  store.init(test::genesis_bytes(), std::vector<row_change>{{chain_key(), encode(chain_row{})}});
  CHECK_FALSE(is_refused(ask(store, {}, 0, 0, 1).root().getRefusal()));
  chain_row tip;
  tip.height = {40};
  lmdb::write_txn txn(store.environment());
  tables::row_table(store.environment()).apply(txn, {chain_key(), encode(tip)});
  txn.commit();
  CHECK(ask(store, {}, 40, 9, 1).root().getRefusal().getLedger() ==
        schema::LedgerRefusal::NOT_KEPT);
  CHECK_FALSE(is_refused(ask(store, {}, 41, 0, 1).root().getRefusal()));
  test::make_block(41, {}).commit_to(store);
  CHECK(ask(store, {}, 40, 9, 1).root().getRefusal().getLedger() ==
        schema::LedgerRefusal::NOT_KEPT);
  CHECK_FALSE(is_refused(ask(store, {}, 41, 0, 1).root().getRefusal()));
}
