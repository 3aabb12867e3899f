#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <set>
#include <string>

#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "storage/tables/ledger_store.hpp"
#include "tests/storage/tables/ledger_chain.hpp"
#include "tests/support/process_end.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::tables;
using soma::test::asserts;
using soma::test::copy;
using soma::test::made_block;
using soma::test::make_block;
using soma::test::scratch_directory;

namespace {

ledger_options small() {
  return {.map_bytes = std::size_t{256} << 20};
}

void commit(ledger_store& store, const made_block& made) {
  made.commit_to(store);
}

/// The tables of a ledger, which were the same in the first edition.
std::vector<std::string> ledger_table_names() {
  return {row_table::name,
          row_table::by_epoch_name,
          row_table::undecided_name,
          row_table::counts_name,
          row_table::model_counts_name,
          block_table::name,
          block_table::heights_name,
          transaction_index::name,
          epoch_table::name,
          event_table::name,
          event_table::by_target_name,
          event_table::by_model_name,
          event_table::by_account_name,
          genesis_table::name,
          proof_table::finals_name,
          proof_table::epoch_ends_name};
}

std::map<bytes, bytes> all_rows(const ledger_store& store) {
  std::map<bytes, bytes> rows;
  store.scan([&](byte_view key, byte_view value) {
    rows.emplace(copy(key), copy(value));
    return true;
  });
  return rows;
}

}  // namespace

TEST_CASE(
    "a ledger of the first edition of the rules is refused with a line that says what to do") {
  const scratch_directory dir;
  {
    const lmdb::environment first(dir.path(), {.map_bytes = std::size_t{1} << 26,
                                               .format = "soma-ledger 4",
                                               .tables = ledger_table_names()});
  }
  std::string said;
  try {
    const ledger_store store(dir.path(), small());
  } catch (const lmdb::failure& refused) {
    CHECK(refused.code() == lmdb::failure_code::wrong_format);
    said = refused.what();
  }
  CHECK(said.find("first edition") != std::string::npos);
  CHECK(said.find("begin the network anew in an empty home") != std::string::npos);
  CHECK(said.find('\n') == std::string::npos);
}

TEST_CASE("what a chain of blocks wrote is there again after each reopening") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    const scratch_directory dir;
    test::ledger_model expected(seed);
    {
      ledger_store store(dir.path(), small());
      CHECK_FALSE(store.initialised());
      CHECK_FALSE(store.genesis().has_value());
      store.init(test::genesis_bytes(), expected.genesis_rows());
    }
    for (int round = 0; round < 5; ++round) {
      ledger_store store(dir.path(), small());
      CHECK(store.genesis() == test::genesis_bytes());
      for (int i = 0; i < 4; ++i) commit(store, expected.next());
      expected.check(store);
    }
    ledger_store store(dir.path(), small());
    expected.check(store);
  }
}

TEST_CASE("typed rows are found as they were written, an absent one is nullopt") {
  const scratch_directory dir;
  ledger_store store(dir.path(), small());
  std::vector<row_change> rows{{chain_key(), encode(chain_row{})}};
  const auto id = [](std::uint8_t n) {
    hash256 made;
    made.value.fill(n);
    return made;
  };
  const auto owner = id(1).as<address_tag>();
  const auto model = id(2).as<model_tag>();
  const auto target = id(3).as<target_tag>();
  const auto data = id(4).as<data_tag>();
  const account_row account{shannons{7}, 3};
  const auto validator = test::with<validator_row>([](auto& row) { row.commission_bps = 12; });
  const auto registered = test::with<model_row>([&](auto& row) { row.owner = owner; });
  const auto version = test::with<model_version_row>([](auto& row) {
    row.embedding = {1.F, -2.F};
  });
  const auto submission = test::with<submission_row>([&](auto& row) { row.submitter = owner; });
  const used_data_row used{target};
  rows.push_back({account_key(owner), encode(account)});
  rows.push_back({validator_key(owner), encode(validator)});
  rows.push_back({model_key(model), encode(registered)});
  rows.push_back({model_version_key(model, 2), encode(version)});
  rows.push_back({submission_key(target), encode(submission)});
  rows.push_back({used_data_key(data), encode(used)});
  store.init(test::genesis_bytes(), rows);

  const auto view = store.view();
  CHECK(view.chain() == chain_row{});
  CHECK(view.account(owner) == account);
  CHECK(view.validator(owner) == validator);
  CHECK(view.model(model) == registered);
  CHECK(view.model_version({model, 2}) == version);
  CHECK(view.submission(target) == submission);
  CHECK(view.used_data(data) == used);
  CHECK(view.find_row(account_key(owner)) == encode(account));
  CHECK_FALSE(view.account(id(9).as<address_tag>()).has_value());
  CHECK_FALSE(view.model_version({model, 1}).has_value());
  CHECK_FALSE(view.target(target).has_value());
  CHECK_FALSE(view.find_row(target_key(target)).has_value());
  CHECK(view.height() == block_height{0});
  CHECK_FALSE(view.block_at({1}).has_value());
  std::size_t accounts = 0;
  view.scan(ledger_table::account, [&](byte_view key, byte_view) {
    CHECK(copy(key) == account_key(owner));
    ++accounts;
    return true;
  });
  CHECK(accounts == 1);
}

TEST_CASE("the indices of targets follow every change of a target") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const scratch_directory dir;
    ledger_store store(dir.path(), small());
    store.init(test::genesis_bytes(), std::vector<row_change>{{chain_key(), encode(chain_row{})}});
    std::map<target_id, target_row> targets;
    for (std::uint64_t height = 1; height <= 30; ++height) {
      auto made = make_block(height, {});
      for (int i = 0; i < 5; ++i) {
        target_id id;
        id.value.fill(static_cast<std::uint8_t>(random() % 20));
        if (random() % 5 == 0) {
          targets.erase(id);
          made.changes.push_back({target_key(id), std::nullopt});
          continue;
        }
        target_row row;
        row.epoch = {random() % 3};
        row.point = {1.F};
        row.status = static_cast<target_status>(random() % 7);
        targets[id] = row;
        made.changes.push_back({target_key(id), encode(row)});
      }
      commit(store, made);
      for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
        std::vector<target_id> open;
        for (const auto& [id, row] : targets) {
          if (row.status == target_status::open && row.epoch.value == epoch) open.push_back(id);
        }
        REQUIRE(store.view().open_targets({epoch}) == open);
      }
      std::vector<listed_status> later, undecided;
      std::map<target_status, std::uint64_t> counts;
      for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
        for (const auto& [id, row] : targets) {
          if (row.epoch.value != epoch) continue;
          const listed_status one{id, row.epoch, row.status};
          if (epoch > 0) later.push_back(one);
          if (row.status <= target_status::revealed) undecided.push_back(one);
          ++counts[row.status];
        }
      }
      REQUIRE(store.view().targets_of({1}, {2}) == later);
      REQUIRE(store.view().undecided_targets() == undecided);
      REQUIRE(store.view().target_counts() == counts);
    }
    for (const auto& [id, row] : targets) CHECK(store.view().target(id) == row);
  }
}

TEST_CASE("events are found by height, target, model and account, the latest first") {
  const scratch_directory dir;
  ledger_store store(dir.path(), small());
  store.init(test::genesis_bytes(), std::vector<row_change>{{chain_key(), encode(chain_row{})}});
  std::mt19937_64 random(5);
  std::vector<event> all;
  for (std::uint64_t height = 1; height <= 20; ++height) {
    auto made = make_block(height, {});
    for (int i = 0; i < 6; ++i) {
      event happened;
      happened.kind = event_kind::target_filled;
      happened.height = {height};
      happened.amount = {random()};
      // 0 gives the zero id; 255 gives the largest id, behind which an index has no key.
      const auto pick = [&] {
        return static_cast<std::uint8_t>(random() % 3 == 0 ? 255 : random() % 3);
      };
      happened.target.value.fill(pick());
      happened.model.model.value.fill(pick());
      happened.model.version = static_cast<std::uint32_t>(random() % 3);
      happened.account.value.fill(pick());
      happened.other.value.fill(pick());
      made.events.push_back(happened);
      all.push_back(happened);
    }
    commit(store, made);
    CHECK(store.view().events_at({height}) == made.events);
  }
  const auto view = store.view();
  for (const std::uint8_t n : {1, 2, 255, 77}) {
    CAPTURE(n);
    for (const std::size_t limit : {0, 1, 5, 1'000}) {
      const auto wanted = [&](const auto& has) {
        std::vector<event> found;
        for (auto at = all.rbegin(); at != all.rend() && found.size() < limit; ++at) {
          if (has(*at)) found.push_back(*at);
        }
        return found;
      };
      target_id target;
      target.value.fill(n);
      CHECK(view.events_of(target, limit) ==
            wanted([&](const event& e) { return e.target == target; }));
      const auto model = target.as<model_tag>();
      CHECK(view.events_of(model, limit) ==
            wanted([&](const event& e) { return e.model.model == model; }));
      const auto account = target.as<address_tag>();
      CHECK(view.events_of(account, limit) ==
            wanted([&](const event& e) { return e.account == account || e.other == account; }));
      std::vector<event> visited;  // the same events, visited one by one
      if (limit > 0) {
        view.visit_events_of(account, [&](const event& e) {
          visited.push_back(e);
          return visited.size() < limit;
        });
      }
      CHECK(visited == view.events_of(account, limit));
    }
  }
}

namespace {

struct noted_epoch {
  block_height first, closing;
  std::vector<event> events;  // the events of this epoch, in order
};

/// Commits blocks of many epochs. The block that closes an epoch also opens the targets of the next
/// one, as under the rules.
std::vector<noted_epoch> commit_epochs(ledger_store& store, std::mt19937_64& random,
                                       std::uint64_t epochs, std::uint64_t open_blocks) {
  std::vector<noted_epoch> noted(1);
  std::uint64_t height = 0;
  const auto happens = [&](made_block& made, std::uint64_t epoch) {
    event e;
    e.height = made.content.header.height;
    e.epoch = {epoch};
    e.amount = {random()};
    made.events.push_back(e);
    noted[epoch].events.push_back(e);
  };
  for (std::uint64_t epoch = 0; epoch <= epochs; ++epoch) {
    const bool stays_open = epoch == epochs;
    const std::uint64_t blocks = stays_open ? open_blocks : 1 + random() % 4;
    for (std::uint64_t i = 0; i < blocks; ++i) {
      auto made = make_block(++height, {});
      made.content.header.epoch = {epoch};
      for (std::uint64_t n = random() % 3; n > 0; --n) happens(made, epoch);
      const bool closes = !stays_open && i + 1 == blocks;
      auto chain = test::chain_row_at(height);
      chain.epoch = {epoch + (closes ? 1 : 0)};
      made.changes = {{chain_key(), encode(chain)}};
      if (closes) {
        noted.emplace_back();
        for (std::uint64_t n = random() % 3; n > 0; --n) happens(made, epoch + 1);
        noted[epoch].closing = {height};
      }
      if (i == 0) noted[epoch].first = {height};
      commit(store, made);
    }
  }
  return noted;
}

}  // namespace

TEST_CASE("an epoch's events are found whole and in order, from its opening to its closing block") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const scratch_directory dir;
    const std::uint64_t epochs = 8;
    // The number of blocks of the epoch that is not over; 0: it has no block yet.
    const std::uint64_t open_blocks = seed % 3;
    std::vector<noted_epoch> noted;
    {
      ledger_store store(dir.path(), small());
      store.init(test::genesis_bytes(),
                 std::vector<row_change>{{chain_key(), encode(chain_row{})}});
      CHECK_FALSE(store.view().closing_height({0}).has_value());
      CHECK_FALSE(store.view().first_height({0}).has_value());
      noted = commit_epochs(store, random, epochs, open_blocks);
    }
    const ledger_store store(dir.path(), small());
    const auto view = store.view();
    for (std::uint64_t epoch = 0; epoch <= epochs; ++epoch) {
      CAPTURE(epoch);
      const bool is_over = epoch < epochs;
      const bool has_blocks = is_over || open_blocks > 0;
      CHECK(view.first_height({epoch}) ==
            (has_blocks ? std::optional(noted[epoch].first) : std::nullopt));
      CHECK(view.closing_height({epoch}) ==
            (is_over ? std::optional(noted[epoch].closing) : std::nullopt));
      std::vector<event> found;
      view.events_in({epoch}, [&](const event& e) {
        found.push_back(e);
        return true;
      });
      CHECK(found == noted[epoch].events);
      std::size_t asked = 0;
      view.events_in({epoch}, [&](const event&) { return ++asked < 2; });
      CHECK(asked == std::min<std::size_t>(2, noted[epoch].events.size()));
    }
    CHECK_FALSE(view.first_height({epochs + 1}).has_value());
    CHECK_FALSE(view.closing_height({epochs + 1}).has_value());
    view.events_in({epochs + 1}, [](const event&) {
      FAIL("an epoch to come has no events");
      return false;
    });
  }
}

TEST_CASE("keys are found from a given one on, within their table") {
  // Compared as text, since gcc 12 warns without cause about comparing vectors of bytes.
  const auto text = [](byte_view key) { return std::string(key.begin(), key.end()); };
  const scratch_directory dir;
  ledger_store store(dir.path(), small());
  std::mt19937_64 random(3);
  std::vector<row_change> rows{{chain_key(), encode(chain_row{})}};
  std::set<std::string> accounts;
  for (int i = 0; i < 200; ++i) {
    address id;
    for (auto& byte : id.value) byte = static_cast<std::uint8_t>(random());
    id.value[0] = static_cast<std::uint8_t>(random() % 3 == 0 ? 0xff : random() % 4);
    accounts.insert(text(account_key(id)));
    rows.push_back({account_key(id), encode(account_row{})});
    rows.push_back({validator_key(id), encode(validator_row{})});  // a row of the next table
  }
  store.init(test::genesis_bytes(), rows);
  const auto view = store.view();
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    bytes first = test::random_bytes(random, random() % 4);
    if (!first.empty()) first[0] = static_cast<std::uint8_t>(random() % 2 ? 0xff : random() % 5);
    const std::size_t limit = random() % 30;
    row_key start = table_prefix(ledger_table::account);
    start.insert(start.end(), first.begin(), first.end());
    std::vector<std::string> from_start, beginning;
    for (auto key = accounts.lower_bound(text(start)); key != accounts.end(); ++key) {
      if (from_start.size() < limit) from_start.push_back(*key);
      if (key->starts_with(text(start))) beginning.push_back(*key);
    }
    std::vector<std::string> found, with_prefix;
    for (const auto& key : view.keys_from(ledger_table::account, first, limit))
      found.push_back(text(key));
    CHECK(found == from_start);
    view.scan_prefix(start, [&](byte_view key, byte_view) {
      with_prefix.push_back(text(key));
      return true;
    });
    CHECK(with_prefix == beginning);
  }
}

TEST_CASE("blocks and transactions are found by id") {
  const scratch_directory dir;
  ledger_store store(dir.path(), small());
  test::ledger_model chain(4);
  store.init(test::genesis_bytes(), chain.genesis_rows());
  std::vector<block> blocks;
  for (int i = 0; i < 10; ++i) {
    const auto made = chain.next();
    blocks.push_back(made.content);
    commit(store, made);
  }
  for (const auto& wanted : blocks) {
    CHECK(store.find_block(signing::id_of(wanted.header)) == wanted);
    for (std::uint32_t i = 0; i < wanted.payload.size(); ++i) {
      CHECK(store.view().find_transaction(signing::id_of(wanted.payload[i])) ==
            transaction_place{wanted.header.height, i});
    }
  }
  CHECK_FALSE(store.find_block(block_id{}).has_value());
  CHECK_FALSE(store.view().find_transaction(transaction_id{}).has_value());
}

TEST_CASE("a height that is not the next, a second genesis and a stray chain row end the process") {
  const scratch_directory dir;
  const auto with_genesis = [&](const auto& act) {
    return asserts([&] {
      const scratch_directory mine;
      ledger_store store(mine.path(), small());
      test::ledger_model chain(1);
      store.init(test::genesis_bytes(), chain.genesis_rows());
      commit(store, chain.next());
      act(store);
    });
  };
  CHECK_FALSE(with_genesis([](ledger_store& store) { commit(store, make_block(2, {})); }));
  CHECK(with_genesis([](ledger_store& store) { commit(store, make_block(1, {})); }));
  CHECK(with_genesis([](ledger_store& store) { commit(store, make_block(3, {})); }));
  CHECK(with_genesis([](ledger_store& store) { commit(store, make_block(0, {})); }));
  CHECK(with_genesis([](ledger_store& store) {
    store.init(test::genesis_bytes(), std::vector<row_change>{{chain_key(), encode(chain_row{})}});
  }));
  CHECK(with_genesis([](ledger_store& store) {
    auto made = make_block(2, {});
    made.changes.clear();
    commit(store, made);
  }));
  CHECK(with_genesis([](ledger_store& store) {
    auto made = make_block(2, {});
    made.changes.push_back({bytes{99, 1}, bytes{1}});
    commit(store, made);
  }));
  CHECK(asserts([&] {
    ledger_store store(dir.path() / "empty", small());
    commit(store, make_block(1, {}));
  }));
}

TEST_CASE(
    "a full map refuses the block by name and whole: no part of it is seen, also after reopening") {
  const scratch_directory dir;
  test::ledger_model chain(6);
  {
    ledger_store store(dir.path(), {.map_bytes = 1 << 20});
    store.init(test::genesis_bytes(), chain.genesis_rows());
    std::string refused = "no";
    while (refused == "no") {
      auto before = chain;
      try {
        commit(store, chain.next());
      } catch (const lmdb::failure& why) {
        refused = to_text(why.code());
        chain = before;
      }
    }
    CHECK(refused == "storage_full");
    CHECK(chain.height() > 3);
    CHECK(store.environment().write_stopped());
    chain.check(store);
  }
  ledger_store store(dir.path(), small());
  chain.check(store);
  commit(store, chain.next());
  chain.check(store);
}

TEST_CASE("readers on other threads never see a part of a block") {
  const scratch_directory dir;
  ledger_store store(dir.path(), small());
  test::ledger_model chain(8);
  store.init(test::genesis_bytes(), chain.genesis_rows());
  const auto whole = [&] {
    const auto view = store.view();
    const auto height = view.height();
    const auto row = view.chain();
    if (!row || row->height != height) return false;
    if (height.value > 0 && view.events_at(height).size() != test::events_a_block) return false;
    return view.events_at(height.next()).empty() && !view.block_at(height.next());
  };
  CHECK(test::all_looks_good(whole, [&] {
    for (int i = 0; i < 150; ++i) commit(store, chain.next());
  }));
  chain.check(store);
}

TEST_CASE("a second process reads beside the writer, a forked copy of the writer does not") {
  const scratch_directory dir;
  test::ledger_model chain(9);
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  // The fork comes before this process opens the ledger; the child opens the directory itself.
  const pid_t child = ::fork();
  if (child == 0) {
    std::uint64_t height = 0;
    if (::read(ready[0], &height, sizeof height) != sizeof height) ::_exit(2);
    try {
      const ledger_store reading(dir.path(),
                                 {.map_bytes = std::size_t{256} << 20, .read_only = true});
      while (chain.height() < height) (void)chain.next();
      ::_exit(all_rows(reading) == chain.rows() && reading.view().height().value == height ? 0 : 3);
    } catch (...) {
      ::_exit(4);
    }
  }
  ledger_store store(dir.path(), small());
  store.init(test::genesis_bytes(), chain.genesis_rows());
  for (int i = 0; i < 5; ++i) commit(store, chain.next());
  const std::uint64_t height = chain.height();
  REQUIRE(::write(ready[1], &height, sizeof height) == sizeof height);
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK(asserts([&] { (void)store.chain(); }));
  commit(store, chain.next());
  chain.check(store);
}
