// Measures how many rows a node proves in a second, and how many a client verifies, on one core. A
// ledger of accounts is made in a temporary folder, with a full block on top or an empty one.
//   proven_rows_bench [rows] [questions]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "actors/gateway_client/gateway_answer.hpp"
#include "actors/public_answers/proven_rows.hpp"
#include "actors/state_tree/state_proof.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/splitmix64.hpp"
#include "messages/values/votes.hpp"
#include "storage/tables/ledger_loader.hpp"
#include "tests/support/scratch.hpp"

namespace {

using namespace soma;
using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

row_key key_of(std::uint64_t number) {
  address id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.value[i] = static_cast<std::uint8_t>(number >> (8 * (7 - i)));
  }
  return account_key(id);
}

struct measured_ledger {
  explicit measured_ledger(std::uint64_t rows)
      : store(folder.path() / "ledger", {.map_bytes = std::size_t{8} << 30, .sync = false}) {
    state_tree::tree::builder scan;
    tables::ledger_loader loader(store);
    for (std::uint64_t i = 0; i < rows; ++i) {
      const auto key = key_of(i);
      const auto value = encode(account_row{{i + 1}, i});
      scan.add(key, value);
      loader.add(key, value);
    }
    const auto chain = encode(chain_row{});
    scan.add(chain_key(), chain);
    loader.finish(as_bytes("genesis"), chain);
    tree.emplace(std::move(scan).finish());
  }
  void grow(std::size_t transactions) {
    chain_row tip;
    tip.height = store.view().height().next();
    const std::vector<row_change> changes{{chain_key(), encode(tip)}};
    block next;
    next.header.height = tip.height;
    next.header.view = {tip.height.value};
    next.header.state_root = tree->apply(changes);
    next.payload.resize(transactions);
    for (std::size_t i = 0; i < transactions; ++i) {
      next.payload[i].body.assign(100, static_cast<std::uint8_t>(i));
      next.payload[i].by_sender.fill(static_cast<std::uint8_t>(i >> 8));
    }
    certificate final;
    final.statement = {vote_kind::finalize, {}, next.header.view, signing::id_of(next.header)};
    for (std::uint16_t i = 0; i < 67; ++i) {
      final.signers.add({i});
      final.signatures.emplace_back();
    }
    store.commit_block(next, changes, {}, final);
  }

  test::scratch_directory folder;
  tables::ledger_store store;
  std::optional<state_tree::tree> tree;
};

void measure(const measured_ledger& ledger, const char* what, std::uint64_t rows, unsigned keys,
             std::uint64_t questions) {
  std::uint64_t drawn = 0, size_bytes = 0;
  double answering_s = 0, verifying_s = 0;
  public_answers::row_prover prover;
  for (std::uint64_t i = 0; i < questions; ++i) {
    const auto asked = message<schema::GetProvenRows>::build([&](auto out) {
      auto list = out.initKeys(keys);
      for (unsigned k = 0; k < keys; ++k) {
        const auto key = key_of(splitmix64::first(drawn++) % (rows + rows / 8));  // some are absent
        list.set(k, data_of(key));
      }
    });
    auto start = clock_type::now();
    const auto answer = prover.answer(ledger.store.view(), *ledger.tree, asked.root());
    const auto view = answer.bytes();
    const bytes sent(view.begin(), view.end());
    answering_s += seconds_since(start);
    size_bytes += sent.size();
    start = clock_type::now();
    const auto read = gateway_client::read_rows(sent);
    for (const auto& row : read.value().rows) {
      const auto value = row.value ? std::optional<byte_view>(*row.value) : std::nullopt;
      if (!state_tree::verify(row.proof, row.key, value, ledger.tree->root())) std::abort();
    }
    verifying_s += seconds_since(start);
  }
  const auto all = static_cast<double>(questions * keys);
  std::printf(
      "%-18s %3u keys a question: %8.0f rows/s proven (%.0f us a question), %8.0f rows/s verified, "
      "%.0f bytes a row\n",
      what, keys, all / answering_s, 1e6 * answering_s / static_cast<double>(questions),
      all / verifying_s, static_cast<double>(size_bytes) / all);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const std::uint64_t questions = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 20'000;
  measured_ledger ledger(rows);
  std::printf("%llu rows\n", static_cast<unsigned long long>(rows));
  ledger.grow(0);
  measure(ledger, "empty last block", rows, 1, questions);
  measure(ledger, "empty last block", rows, 256, questions / 100);
  ledger.grow(1'500);
  measure(ledger, "256 KiB last block", rows, 1, questions / 10);
  measure(ledger, "256 KiB last block", rows, 256, questions / 100);
}
