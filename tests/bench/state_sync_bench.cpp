// Measures how a late node takes a ledger over: the pace at which chunks come from some peers, in
// made-up time with a round trip, and the real time in which the node makes a ledger of them and
// starts on it.
//   state_sync_bench [peers] [rows] [round trip ms] [MiB a second of each peer]
// The rows have 100 bytes. The pace of a peer is that of its state_server; 0 is a server without a
// limit. The bytes of a line that is slower than that are not simulated.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "actors/execution/execution_tree.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/state_sync/state_server.hpp"
#include "actors/state_sync/state_sync.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/splitmix64.hpp"
#include "storage/tables/ledger_loader.hpp"
#include "tests/actors/consensus/signed_committee.hpp"
#include "tests/support/scratch.hpp"

namespace soma::test {
namespace {

using taker = soma::state_sync::state_sync;
using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

crypto::key_pair key_of(std::uint64_t number) {
  std::array<std::uint8_t, 32> seed{};
  for (std::size_t i = 0; i < 8; ++i) seed[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return crypto::key_pair::from_seed(seed);
}

genesis genesis_of(std::uint64_t validators) {
  soma::genesis made;
  made.name = "bench";
  made.start_ms = 1'000'000;
  made.parameters.architecture = {1, 4, 1, 4, 8};
  for (std::uint64_t i = 0; i < validators; ++i) {
    made.validators.push_back({key_of(900 + i).public_half(), {1'000 * shannons_per_soma}});
  }
  return made;
}

/// A ledger after the first epoch of a small network. Its accounts are made up.
struct long_ledger {
  long_ledger(const std::filesystem::path& home, std::uint64_t rows)
      : genesis(genesis_of(4)), store(home / "served"), folder(home / "snapshots") {
    auto all = rules::genesis_rows(genesis);
    std::map<bytes, bytes> sorted;
    for (auto& row : all) sorted.emplace(std::move(row.key), std::move(*row.value));
    auto chain = decode_own<chain_row>(sorted.at(chain_key())).value();
    const auto seats = decode_own<committee_row>(sorted.at(committee_key())).value().seats;
    chain.height = {100};
    chain.epoch = {1};
    sorted[chain_key()] = encode(chain);
    state_tree::tree::builder builder;
    tables::ledger_loader loader(store);
    for (std::uint64_t i = 0; i < rows; ++i) {
      bytes key(33, 2);
      for (std::uint64_t at = 0; at < 4; ++at) {
        const auto word = splitmix64::first(4 * i + at);
        for (std::size_t b = 0; b < 8; ++b) {
          key[1 + 8 * at + b] = static_cast<std::uint8_t>(word >> (8 * b));
        }
      }
      const bytes value(67, static_cast<std::uint8_t>(i));
      builder.add(key, value);
      loader.put(key, value);
    }
    for (const auto& [key, value] : sorted) {
      builder.add(key, value);
      if (key != chain_key()) loader.put(key, value);
    }
    auto tree = std::move(builder).finish();
    const auto end = closing(seats, tree.root());
    loader.finish(encode(genesis), sorted.at(chain_key()), {{epoch_number{}, end}});
    state_sync::snapshot_folder(folder).write(store.view(), tree);
  }

  [[nodiscard]] epoch_proof closing(const std::vector<committee_seat>& seats,
                                    const state_root& root) const {
    epoch_proof made;
    block_header header;
    header.chain = signing::chain_id_of(genesis);
    header.height = {100};
    header.view = {100};
    header.state_root = root;
    header.flags = block_closes_epoch;
    header.next_committee = signing::committee_hash(seats);
    made.headers = {header};
    made.next_committee = seats;
    std::vector<crypto::key_pair> keys;
    for (std::uint64_t v = 0; v < seats.size(); ++v) keys.push_back(key_of(900 + v));
    made.final = consensus::testing::final_certificate(header, seats, keys);
    return made;
  }

  soma::genesis genesis;
  tables::ledger_store store;
  std::filesystem::path folder;
};

void measure(std::uint32_t peers, std::uint64_t rows, std::uint64_t round_trip_ms,
             std::size_t mib_a_second) {
  const scratch_directory home;
  auto start = clock_type::now();
  const long_ledger served(home.path(), rows);
  const auto chunks = state_sync::snapshot_folder(served.folder, true).chunks();
  std::printf("%llu rows in %u chunks, made in %.1f s\n", static_cast<unsigned long long>(rows),
              chunks, seconds_since(start));
  state_sync::state_server_options limits;
  limits.peer_bytes_per_s = limits.all_bytes_per_s =
      mib_a_second == 0 ? SIZE_MAX : mib_a_second << 20;
  std::vector<std::unique_ptr<state_sync::state_server>> servers;
  consensus::testing::real_checker checker(signing::chain_id_of(served.genesis));
  taker sync(served.genesis, home.path() / "taking", checker);
  std::multimap<std::uint64_t, std::pair<std::uint32_t, peer::ask_state>> coming;
  std::uint64_t now_ms = 0, began_ms = 0;
  const auto step = [&](const taker::event& next) {
    for (const auto& effect : sync.step(next, now_ms)) {
      const auto* sent = std::get_if<taker::send>(&effect);
      if (sent == nullptr) continue;
      coming.emplace(now_ms + round_trip_ms,
                     std::pair(sent->to, std::get<peer::ask_state>(sent->message)));
    }
  };
  for (std::uint32_t peer = 1; peer <= peers; ++peer) {
    servers.push_back(
        std::make_unique<state_sync::state_server>(served.store, served.folder, limits));
    step(taker::peer_connected{peer, key_of(5'000 + peer).public_half()});
  }
  start = clock_type::now();
  for (; sync.state() == taker::outcome::running; ++now_ms) {
    while (!coming.empty() && coming.begin()->first <= now_ms) {
      const auto [peer, asked] = coming.begin()->second;
      coming.erase(coming.begin());
      if (auto part = servers[peer - 1]->answer(peer, asked, now_ms - round_trip_ms / 2)) {
        const peer_message message(std::move(*part));
        step(taker::received{peer, message});
      }
    }
    if (now_ms % 100 == 0) step(taker::time_passed{});
    if (began_ms == 0 && sync.header()) began_ms = now_ms;
  }
  const auto made_up_s = static_cast<double>(now_ms - began_ms) / 1'000;
  std::printf("%u peers, %llu ms: %.1f chunks/s of made-up time, %.2f s in all; %.1f s real\n",
              peers, static_cast<unsigned long long>(round_trip_ms), chunks / made_up_s, made_up_s,
              seconds_since(start));
  start = clock_type::now();
  auto tree = sync.finish(home.path() / "ledger");
  SOMA_ASSERT(tree.has_value(), "the ledger is complete");
  std::printf("finish %.2f s\n", seconds_since(start));
  const tables::ledger_store taken(home.path() / "ledger");
  start = clock_type::now();
  { const execution::execution_tree with(taken, served.genesis, std::move(*tree)); }
  std::printf("start with the tree %.3f s\n", seconds_since(start));
  start = clock_type::now();
  { const execution::execution_tree without(taken, served.genesis); }
  std::printf("start without it %.3f s\n", seconds_since(start));
}

}  // namespace
}  // namespace soma::test

int main(int argc, char** argv) {
  const auto number = [&](int at, std::uint64_t otherwise) {
    return argc > at ? std::strtoull(argv[at], nullptr, 10) : otherwise;
  };
  soma::test::measure(static_cast<std::uint32_t>(number(1, 3)), number(2, 1'100'000), number(3, 50),
                      number(4, 8));
}
