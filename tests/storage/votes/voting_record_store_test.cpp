// The voting record on disk, compared with soma::apply over random batches. It is reopened, cut
// off, killed, torn, flipped and set back; it must open as it was left or not at all.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "messages/codec/codec_consensus.hpp"
#include "storage/lmdb/transaction.hpp"
#include "storage/votes/voting_record_store.hpp"
#include "tests/messages/codec/consensus_samples.hpp"
#include "tests/support/killed.hpp"
#include "tests/support/process_end.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using namespace soma::votes;
using soma::test::scratch_directory;

namespace {

const voting_record_options small{.map_bytes = std::size_t{64} << 20, .reserve_bytes = 0};
const chain_id chain{{1}};
const public_key key{2};

block_ptr block_of(test::sampler& s, view_number view) {
  auto made = test::sample<block>(s.below(1'000'000));
  made.header.view = view;
  return test::named(std::move(made));
}

/// A batch that a validator might write next: views ascend, and from time to time old entries are
/// removed.
record_batch batch_after(const voting_record& now, std::uint64_t seed) {
  test::sampler s(seed);
  record_batch made;
  if (s.below(20) == 0) made.new_epoch = now.epoch.next();
  view_number top;
  if (!now.votes.empty() && !made.new_epoch) top = now.votes.rbegin()->first.first;
  if (s.below(5) == 0) made.prune_to = top.value > 3 ? top - s.below(4) : view_number{};
  if (s.below(15) == 0) made.votes_from = epoch_number{s.below(1'000)};
  const auto epoch = made.new_epoch.value_or(now.epoch);
  for (auto more = s.below(3); more > 0; --more) {
    const auto kind = static_cast<vote_kind>(1 + s.below(3));
    const auto block = block_of(s, ++top);
    made.votes.push_back({kind, epoch, top, kind == vote_kind::skip ? block_id{} : block->id});
    if (s.coin()) made.proposed.emplace_back(top, block->id);
    if (s.coin()) made.blocks.push_back(block);
  }
  for (auto more = s.below(3); more > 0; --more) {
    auto proof = test::sample<certificate>(s.below(1'000'000));
    proof.statement.view = {1 + s.below(top.value + 2)};
    made.certificates.push_back(std::move(proof));
  }
  if (made.empty()) made.votes.push_back({vote_kind::skip, epoch, top.next(), {}});
  return made;
}

bool same(const voting_record& a, const voting_record& b) {
  const auto same_block = [](const auto& x, const auto& y) {
    return x.first == y.first && x.second->block == y.second->block;
  };
  return a.chain == b.chain && a.key == b.key && a.votes_from == b.votes_from &&
         a.epoch == b.epoch && a.votes == b.votes && a.proposed == b.proposed &&
         a.certificates == b.certificates && std::ranges::equal(a.blocks, b.blocks, same_block);
}

voting_record empty_record() {
  voting_record made;
  made.chain = chain;
  made.key = key;
  return made;
}

/// The record after each of so many writes; the first one is the record before any write.
std::vector<voting_record> history_of(std::uint64_t seed, std::uint64_t writes) {
  std::vector<voting_record> all{empty_record()};
  for (std::uint64_t n = 0; n < writes; ++n) {
    auto next = all.back();
    apply(next, batch_after(all.back(), seed * 1'000 + n));
    all.push_back(std::move(next));
  }
  return all;
}

/// Writes until the record has had so many writes.
void write_to(const std::filesystem::path& where, std::uint64_t seed, std::uint64_t writes) {
  auto it = voting_record_store::open(where, chain, key, small);
  REQUIRE(it.store);
  auto now = it.record;
  while (it.store->sequence() < writes) {
    const auto batch = batch_after(now, seed * 1'000 + it.store->sequence());
    it.store->write(batch);
    apply(now, batch);
  }
}

enum class verdict { as_written, one_before, said_damaged, wrong, signalled };

/// Opens a copy in a separate process, since LMDB may crash on damaged pages.
verdict verdict_on(const std::filesystem::path& where, const voting_record& last,
                   const voting_record& before) {
  const int status = test::status_of([&] {
    for (const int signal : {SIGSEGV, SIGBUS}) std::signal(signal, SIG_DFL);
    try {
      const auto it = voting_record_store::open(where, chain, key, small);
      if (it.state == votes_state::damaged) ::_exit(it.store || it.why.empty() ? 5 : 1);
      if (same(it.record, last)) ::_exit(2);
      ::_exit(same(it.record, before) ? 3 : 4);
    } catch (...) {
      ::_exit(6);
    }
  });
  if (WIFSIGNALED(status)) return verdict::signalled;
  switch (WEXITSTATUS(status)) {
    case 1:
      return verdict::said_damaged;
    case 2:
      return verdict::as_written;
    case 3:
      return verdict::one_before;
    default:
      return verdict::wrong;
  }
}

void copy_to(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
  std::filesystem::remove(to / "lock.mdb");
}

void write_file(const std::filesystem::path& to, const bytes& data) {
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
}

}  // namespace

TEST_CASE("random batches leave what apply says, however often the record is reopened") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const scratch_directory dir;
    const auto where = dir.path() / "votes";
    voting_record_store::create(where, chain, key, small);
    test::sampler s(seed);
    auto wanted = empty_record();
    std::uint64_t writes = 0;
    for (int life = 0; life < 8; ++life) {
      CAPTURE(life);
      auto it = voting_record_store::open(where, chain, key, small);
      REQUIRE(it.state == (writes == 0 ? votes_state::fresh : votes_state::intact));
      REQUIRE(it.store);
      REQUIRE(it.store->sequence() == writes);
      REQUIRE(same(it.record, wanted));
      for (auto more = s.below(12); more > 0; --more) {
        const auto batch = batch_after(wanted, seed * 1'000 + writes++);
        it.store->write(batch);
        apply(wanted, batch);
      }
    }
  }
}

// By security §10.3 a record is open in one process at a time.
TEST_CASE("a record is open once at a time, and with another key or chain it is damaged") {
  const scratch_directory dir;
  const auto where = dir.path() / "deep" / "votes";
  CHECK(voting_record_store::open(where, chain, key, small).state == votes_state::missing);
  voting_record_store::create(where, chain, key, small);
  CHECK_THROWS_AS(voting_record_store::create(where, chain, key, small), lmdb::failure);
  {
    const auto it = voting_record_store::open(where, chain, key, small);
    REQUIRE(it.state == votes_state::fresh);
    const int ended = test::status_of([&] {
      try {
        (void)voting_record_store::open(where, chain, key, small);
      } catch (const lmdb::failure& why) {
        ::_exit(why.code() == lmdb::failure_code::already_open ? 9 : 1);
      }
    });
    CHECK(WEXITSTATUS(ended) == 9);
  }
  {
    const int other = ::open((where / "witness").c_str(), O_RDONLY);  // stands for another process
    REQUIRE(::flock(other, LOCK_SH | LOCK_NB) == 0);
    CHECK_THROWS_AS((void)voting_record_store::open(where, chain, key, small), lmdb::failure);
    ::close(other);
  }
  CHECK(voting_record_store::open(where, chain_id{{7}}, key, small).state == votes_state::damaged);
  CHECK(voting_record_store::open(where, chain, {7}, small).state == votes_state::damaged);
  CHECK(voting_record_store::open(where, chain, key, small).state == votes_state::fresh);
}

// This is the part of the voting record in the fence of consensus R0.
TEST_CASE("what replaces a lost record is missing until it is fenced, and nothing is thrown away") {
  const scratch_directory dir;
  const auto where = dir.path() / "votes";
  voting_record_store::create(where, chain, key, small);
  write_to(where, 1, 5);
  std::filesystem::remove(where / "witness");
  auto it = voting_record_store::open(where, chain, key, small);
  CHECK(it.state == votes_state::damaged);
  CHECK(!it.store);
  for (int n = 1; n <= 2; ++n) {
    voting_record_store::replace(where, chain, key, small);
    CHECK(std::filesystem::exists(where.string() + ".lost-" + std::to_string(n)));
    for (int life = 0; life < 3; ++life) {
      it = {};
      it = voting_record_store::open(where, chain, key, small);
      REQUIRE(it.store);
      CHECK(it.state == votes_state::missing);
      CHECK(it.record.votes.empty());
      record_batch batch;
      batch.certificates.push_back(test::sample<certificate>(3));
      it.store->write(batch);
    }
    record_batch fence;
    fence.votes_from = epoch_number{77};
    it.store->write(fence);
    it = {};
    it = voting_record_store::open(where, chain, key, small);
    CHECK(it.state == votes_state::intact);
    CHECK(it.record.votes_from == epoch_number{77});
    CHECK(it.record.certificates.size() == 1);
    it = {};
  }
}

// By consensus R4 a batch that was acknowledged is durable, as a whole.
TEST_CASE("a record whose writer is killed 120 times holds every acknowledged batch") {
  const std::uint64_t seed = 20'263;
  std::mt19937_64 random(seed);
  std::uint64_t ahead = 0;
  for (std::uint64_t round = 0; round < 3; ++round) {
    const scratch_directory dir;
    const auto where = dir.path() / "votes";
    voting_record_store::create(where, chain, key, small);
    auto wanted = empty_record();
    std::uint64_t known = 0;
    for (int kill = 0; kill < 40; ++kill) {
      CAPTURE(round);
      CAPTURE(kill);
      const auto reported = test::killed(random, [&](const test::report& acknowledge) {
        auto it = voting_record_store::open(where, chain, key, small);
        auto now = it.record;
        acknowledge(it.store->sequence());
        for (;;) {
          const auto batch = batch_after(now, (seed + round) * 1'000 + it.store->sequence());
          it.store->write(batch);
          apply(now, batch);
          acknowledge(it.store->sequence());
        }
      });
      REQUIRE(!reported.empty());
      const auto it = voting_record_store::open(where, chain, key, small);
      REQUIRE_MESSAGE(it.store, it.why);
      const auto writes = it.store->sequence();
      REQUIRE(writes >= reported.back());
      REQUIRE(writes <= reported.back() + 1);
      ahead += writes - reported.back();
      for (; known < writes; ++known) {
        apply(wanted, batch_after(wanted, (seed + round) * 1'000 + known));
      }
      REQUIRE(same(it.record, wanted));
    }
  }
  MESSAGE("committed, the report cut off: ", ahead);
}

TEST_CASE(
    "a write torn anywhere leaves the last record or the one before, or damage that is told") {
  std::map<verdict, int> counts;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const scratch_directory dir;
    const auto where = dir.path() / "votes", old = dir.path() / "old", torn = dir.path() / "torn";
    const std::uint64_t writes = 6 + seed;
    const auto history = history_of(seed, writes);
    voting_record_store::create(where, chain, key, small);
    write_to(where, seed, writes - 1);
    copy_to(where, old);
    write_to(where, seed, writes);
    const bytes before = test::read_file(old / "data.mdb");
    const bytes after = test::read_file(where / "data.mdb");
    for (std::uint64_t n = 0; n < 25; ++n) {
      CAPTURE(seed);
      CAPTURE(n);
      test::sampler s(seed * 100 + n);
      // Of what the last write changed, some sectors or pages reached the disk, in any order. The
      // witness is written after them.
      const std::size_t unit = s.coin() ? 512 : 4'096;
      bytes mixed = before;
      mixed.resize(after.size());
      const auto most = 1 + s.below(20);  // one in so many is missing
      for (std::size_t at = 0; at < after.size(); at += unit) {
        if (s.below(most + 1) != 0)
          std::copy_n(after.begin() + static_cast<std::ptrdiff_t>(at),
                      std::min(unit, after.size() - at),
                      mixed.begin() + static_cast<std::ptrdiff_t>(at));
      }
      // The disk falsely reported a sync, so that the witness was written.
      const bool lied_to = s.coin();
      copy_to(lied_to ? where : old, torn);
      write_file(torn / "data.mdb", mixed);
      const auto found = verdict_on(torn, history[writes], history[writes - 1]);
      ++counts[found];
      CHECK(found != verdict::wrong);
      if (lied_to) CHECK(found != verdict::one_before);
    }
  }
  MESSAGE("as written ", counts[verdict::as_written], ", one before ", counts[verdict::one_before],
          ", damage told ", counts[verdict::said_damaged], ", ended by a signal ",
          counts[verdict::signalled]);
  CHECK(counts[verdict::as_written] > 0);
  CHECK(counts[verdict::one_before] > 0);
  CHECK(counts[verdict::said_damaged] > 0);
}

TEST_CASE("flipped, zeroed and cut bytes never give an older or another record") {
  std::map<verdict, int> counts;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const scratch_directory dir;
    const auto where = dir.path() / "votes", harmed = dir.path() / "harmed";
    const std::uint64_t writes = 10 + seed;
    const auto history = history_of(seed, writes);
    voting_record_store::create(where, chain, key, small);
    write_to(where, seed, writes);
    const bytes data = test::read_file(where / "data.mdb");
    for (std::uint64_t n = 0; n < 60; ++n) {
      CAPTURE(seed);
      CAPTURE(n);
      test::sampler s(seed * 1'000 + n);
      bytes changed = data;
      // Either the two pages with which LMDB begins, or the whole file.
      const auto spot = [&] { return s.below(s.below(3) == 0 ? 8'192 : changed.size()); };
      switch (n % 4) {
        case 0:
          changed[spot()] ^= static_cast<std::uint8_t>(1u << s.below(8));
          break;
        case 1:
          for (int i = 0; i < 40; ++i)
            changed[spot()] ^= static_cast<std::uint8_t>(1 + s.below(255));
          break;
        case 2: {
          const auto page = spot() / 4'096 * 4'096;
          std::fill_n(changed.begin() + static_cast<std::ptrdiff_t>(page), 4'096, std::uint8_t{0});
          break;
        }
        default:
          changed.resize(s.below(changed.size()));
      }
      copy_to(where, harmed);
      write_file(harmed / "data.mdb", changed);
      const auto found = verdict_on(harmed, history[writes], history[writes - 1]);
      ++counts[found];
      CHECK(found != verdict::wrong);
      CHECK(found != verdict::one_before);
    }
  }
  MESSAGE("as written ", counts[verdict::as_written], ", damage told ",
          counts[verdict::said_damaged], ", ended by a signal ", counts[verdict::signalled]);
  CHECK(counts[verdict::signalled] < counts[verdict::said_damaged] / 4);
  CHECK(counts[verdict::said_damaged] > 0);
}

// By security §10.3 the second file reveals that a record was set back.
TEST_CASE("tables set back to an earlier copy are damage, a witness set back by one write is not") {
  const scratch_directory dir;
  const auto where = dir.path() / "votes", old = dir.path() / "old", mixed = dir.path() / "mixed";
  const auto history = history_of(5, 20);
  voting_record_store::create(where, chain, key, small);
  write_to(where, 5, 10);
  for (const std::uint64_t writes : {11, 12, 20}) {
    CAPTURE(writes);
    copy_to(where, old);
    const auto had = writes == 11 ? 10 : writes == 12 ? 11 : 12;
    write_to(where, 5, writes);
    copy_to(where, mixed);
    for (const auto* file : {"data.mdb", "journal.0", "journal.1"}) {
      std::filesystem::copy_file(old / file, mixed / file,
                                 std::filesystem::copy_options::overwrite_existing);
    }
    CHECK(verdict_on(mixed, history[writes], history[static_cast<std::size_t>(had)]) ==
          verdict::said_damaged);
    copy_to(where, mixed);
    std::filesystem::copy_file(old / "witness", mixed / "witness",
                               std::filesystem::copy_options::overwrite_existing);
    CHECK(verdict_on(mixed, history[writes], empty_record()) ==
          (writes == 20 ? verdict::said_damaged : verdict::as_written));
  }
  // Each byte of the witness's slots is flipped: the record opens whole, or opens without the
  // latest slot, or is damaged.
  const bytes slots = test::read_file(where / "witness");
  for (std::size_t at = 0; at < slots.size(); at += at % 4'096 < 44 ? 1 : 1'013) {
    CAPTURE(at);
    bytes flipped = slots;
    flipped[at] ^= 16;
    write_file(where / "witness", flipped);
    const auto found = verdict_on(where, history[20], empty_record());
    CHECK((found == verdict::as_written || found == verdict::said_damaged));
    write_file(where / "witness", slots);
  }
}

TEST_CASE(
    "a row that is gone, altered or added in the tables is damage, although its checksum holds") {
  const scratch_directory dir;
  const auto where = dir.path() / "votes", harmed = dir.path() / "harmed";
  voting_record_store::create(where, chain, key, small);
  auto it = voting_record_store::open(where, chain, key, small);
  record_batch batch;
  for (std::uint64_t view = 1; view <= 3; ++view) {
    batch.votes.push_back({vote_kind::notarize, {}, {view}, block_id{{9}}});
    batch.proposed.emplace_back(view_number{view}, block_id{{9}});
  }
  it.store->write(batch);
  it = {};
  const auto after = [&](const auto& change) {
    copy_to(where, harmed);
    {
      lmdb::environment env(harmed,
                            {.map_bytes = small.map_bytes,
                             .format = "soma-votes 2",
                             .tables = {"votes", "proposed", "certificates", "blocks", "head"}});
      lmdb::write_txn txn(env);
      change(txn, env);
      txn.commit();
    }
    return voting_record_store::open(harmed, chain, key, small).state;
  };
  const bytes first_vote{0, 0, 0, 0, 0, 0, 0, 1, 1};
  const bytes first_view(first_vote.begin(), first_vote.end() - 1);
  CHECK(after([](auto&, auto&) {}) == votes_state::intact);
  CHECK(after([&](auto& txn, auto& env) { REQUIRE(txn.erase(env.table("votes"), first_vote)); }) ==
        votes_state::damaged);
  CHECK(after([&](auto& txn, auto& env) {
          REQUIRE(txn.erase(env.table("proposed"), first_view));
        }) == votes_state::damaged);
  CHECK(after([&](auto& txn, auto& env) {
          txn.put(env.table("votes"), first_vote, bytes(32, 7));
        }) == votes_state::damaged);
  CHECK(after([&](auto& txn, auto& env) {
          txn.put(env.table("votes"), bytes{0, 0, 0, 0, 0, 0, 0, 9, 3}, bytes(32, 7));
        }) == votes_state::damaged);
  CHECK(after([&](auto& txn, auto& env) {  // two votes that changed their kind for each other's
          REQUIRE(txn.erase(env.table("votes"), first_vote));
          txn.put(env.table("votes"), bytes{0, 0, 0, 0, 0, 0, 0, 1, 2}, block_id{{9}}.view());
        }) == votes_state::damaged);
  CHECK(after([&](auto& txn, auto& env) {
          REQUIRE(txn.erase(env.table("head"), as_bytes("head")));
        }) == votes_state::damaged);
}

// By security §10.4 there is room for votes in reserve.
TEST_CASE("a full disk is named, what is in reserve is used first, and room made is used") {
  const scratch_directory dir;
  const auto where = dir.path() / "votes";
  const voting_record_options options{.map_bytes = std::size_t{64} << 20,
                                      .reserve_bytes = std::size_t{1} << 20};
  voting_record_store::create(where, chain, key, options);
  auto it = voting_record_store::open(where, chain, key, options);
  REQUIRE(it.store);
  CHECK(std::filesystem::file_size(where / "reserve") == options.reserve_bytes);
  auto wanted = empty_record();
  std::uint64_t refused = 0;
  // No file may grow beyond this: LMDB then fails as it does on a full disk.
  const auto limit = [](std::size_t most_bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit now{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &now) == 0);
    now.rlim_cur = most_bytes == 0 ? now.rlim_max : most_bytes;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &now) == 0);
  };
  limit(std::filesystem::file_size(where / "data.mdb") + 100'000);
  for (std::uint64_t n = 0; n < 400 && refused < 5; ++n) {
    auto batch = batch_after(wanted, 90'000 + n);
    batch.prune_to = {};
    batch.new_epoch.reset();
    try {
      it.store->write(batch);
      apply(wanted, batch);
    } catch (const lmdb::failure& why) {
      CHECK(why.code() == lmdb::failure_code::storage_full);
      CHECK(!std::filesystem::exists(where / "reserve"));
      ++refused;
    }
  }
  limit(0);
  CHECK(refused == 5);
  record_batch skip;
  skip.votes.push_back({vote_kind::skip, wanted.epoch, 1'000'000, {}});
  // Writing is refused until resume() is called.
  CHECK_THROWS_AS(it.store->write(skip), lmdb::failure);
  it.store->resume();
  it.store->write(skip);
  apply(wanted, skip);
  CHECK(std::filesystem::exists(where / "reserve"));
  const auto writes = it.store->sequence();
  it = {};
  it = voting_record_store::open(where, chain, key, options);
  REQUIRE(it.state == votes_state::intact);
  CHECK(it.store->sequence() == writes);
  CHECK(same(it.record, wanted));
}
