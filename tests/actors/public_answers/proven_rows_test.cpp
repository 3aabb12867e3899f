#include "actors/public_answers/proven_rows.hpp"

#include <doctest/doctest.h>

#include "actors/state_tree/state_proof.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/codec/model_entry.hpp"
#include "tests/actors/public_answers/plain_ledger.hpp"
#include "tests/actors/public_answers/proven_chain.hpp"

using namespace soma;
using namespace soma::public_answers;
using enum ledger_refusal;

namespace {

message<schema::GetProvenRows> by_keys(const std::vector<row_key>& keys) {
  return message<schema::GetProvenRows>::build([&](auto out) {
    auto list = out.initKeys(static_cast<unsigned>(keys.size()));
    for (unsigned i = 0; i < keys.size(); ++i) list.set(i, data_of(keys[i]));
  });
}
message<schema::GetProvenRows> page_of(byte_view prefix, byte_view after, std::uint32_t most) {
  return message<schema::GetProvenRows>::build([&](auto out) {
    out.setPrefix(data_of(prefix));
    out.setAfter(data_of(after));
    out.setMost(most);
  });
}

template <class Ledger>
message<schema::ProvenRows> ask(const Ledger& of, const message<schema::GetProvenRows>& asked) {
  return row_prover().answer(of.store.view(), of.tree, asked.root());
}
template <class Ledger>
std::optional<ledger_refusal> refusal_of(const Ledger& of,
                                         const message<schema::GetProvenRows>& asked) {
  const auto refusal = ask(of, asked).root().getRefusal();
  if (!refusal.isLedger()) return std::nullopt;
  return refusal_of_schema<ledger_refusal>(refusal.getLedger());
}

/// Whether the entry is what the store holds, and its proof leads to this root.
bool holds(const tables::ledger_store& store, schema::RowWithProof::Reader row,
           const state_root& root) {
  const auto key = view_of(row.getKey());
  const auto stored = table_of(key) ? store.find_row(key) : std::nullopt;
  if (stored.has_value() != row.getPresent()) return false;
  if (stored && !std::ranges::equal(*stored, view_of(row.getValue()))) return false;
  const auto proof = decode<state_proof>(view_of(row.getProof()));
  const auto value = stored ? std::optional<byte_view>(*stored) : std::nullopt;
  return proof && state_tree::verify(*proof, key, value, root).has_value();
}

/// Rows of 40 KiB, so that an answer of 4 MiB has no room for 256.
std::vector<row_change> large_rows(std::size_t count) {
  std::vector<row_change> rows;
  for (std::size_t i = 0; i < count; ++i) {
    data_hash id;
    id.value.fill(static_cast<std::uint8_t>(i));
    rows.push_back({used_data_key(id), bytes(40 << 10, static_cast<std::uint8_t>(i))});
  }
  return rows;
}

}  // namespace

TEST_CASE("rows and absences are proven against the newest block, after each block") {
  test::proven_chain chain;
  std::vector<row_key> keys{chain_key(), committee_key(), bytes{7, 7}, bytes(96, 1)};
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    keys.push_back(account_key(test::address_of(seed)));
  keys.push_back(keys.front());
  row_prover prover;
  for (int i = 0; i < 20; ++i) {
    chain.pay(100);
    const auto asked = by_keys(keys);
    const auto answer = prover.answer(chain.store.view(), chain.tree, asked.root());
    const auto root = answer.root();
    CHECK_FALSE(is_refused(root.getRefusal()));
    CHECK(view_of(root.getFinality().getHeaders()).size() == header_layout_bytes);
    CHECK(decode<block_header>(view_of(root.getFinality().getHeaders())) == chain.headers.back());
    REQUIRE(root.getRows().size() == keys.size());
    CHECK_FALSE(root.getMore());
    for (unsigned k = 0; k < keys.size(); ++k) {
      CHECK(bytes_of(root.getRows()[k].getKey()) == keys[k]);
      CHECK(holds(chain.store, root.getRows()[k], chain.headers.back().state_root));
    }
  }
}

TEST_CASE("pages of all sizes show every row under a prefix once, each proven") {
  test::proven_chain chain;
  chain.pay(100);
  const auto prefix = table_prefix(ledger_table::account);
  std::vector<bytes> stored;
  chain.store.scan(ledger_table::account, [&](byte_view key, byte_view) {
    stored.emplace_back(key.begin(), key.end());
    return true;
  });
  REQUIRE(stored.size() >= 3);
  for (const std::uint32_t most : {1U, 2U, 256U}) {
    std::vector<bytes> found;
    for (bool more = true; more;) {
      const auto answer = ask(chain, page_of(prefix, found.empty() ? bytes{} : found.back(), most));
      REQUIRE(answer.root().getRows().size() >= 1);
      CHECK(answer.root().getRows().size() <= most);
      for (const auto& row : answer.root().getRows()) {
        found.push_back(bytes_of(row.getKey()));
        CHECK(holds(chain.store, row, chain.headers.back().state_root));
      }
      more = answer.root().getMore();
    }
    CHECK(found == stored);
  }
}

TEST_CASE("an answer ends soon after 4 MiB, and says that there is more") {
  const test::plain_ledger ledger(large_rows(200));
  std::vector<row_key> keys;
  for (const auto& row : large_rows(200)) keys.push_back(row.key);
  for (const auto& asked :
       {by_keys(keys), page_of(table_prefix(ledger_table::used_data), {}, 256)}) {
    const auto answer = ask(ledger, asked);
    CHECK(answer.root().getMore());
    CHECK(answer.root().getRows().size() > 90);
    CHECK(answer.root().getRows().size() < 105);
    CHECK(answer.bytes().size() < max_rows_bytes + (100 << 10));
    const auto last = answer.root().getRows().size() - 1;
    CHECK(holds(ledger.store, answer.root().getRows()[last], ledger.tree.root()));
  }
}

TEST_CASE("a question outside the limits is refused by name") {
  test::proven_chain chain;
  const bytes account = table_prefix(ledger_table::account);
  CHECK(refusal_of(chain, by_keys({chain_key()})) == no_block_yet);
  chain.pay(1, false);
  CHECK(refusal_of(chain, by_keys({chain_key()})) == not_final_yet);
  chain.pay(1);
  CHECK(refusal_of(chain, by_keys({chain_key()})) == std::nullopt);
  CHECK(refusal_of(chain, by_keys(std::vector<row_key>(256, chain_key()))) == std::nullopt);
  CHECK(refusal_of(chain, by_keys(std::vector<row_key>(257, chain_key()))) == too_many);
  CHECK(refusal_of(chain, by_keys({chain_key(), bytes{}})) == bad_key);
  CHECK(refusal_of(chain, by_keys({bytes(97, 1)})) == bad_key);
  CHECK(refusal_of(chain, by_keys({})) == too_few);
  CHECK(refusal_of(chain, page_of(account, {}, 0)) == too_few);
  CHECK(refusal_of(chain, page_of(account, {}, 257)) == too_many);
  CHECK(refusal_of(chain, page_of({}, {}, 1)) == bad_key);
  CHECK(refusal_of(chain, page_of(bytes(97, 1), {}, 1)) == bad_key);
  CHECK(refusal_of(chain, page_of(account, bytes(97, account[0]), 1)) == bad_key);
  CHECK(refusal_of(chain, page_of(account, bytes{9}, 1)) == bad_key);
  const auto both = message<schema::GetProvenRows>::build([&](auto out) {
    out.initKeys(1).set(0, data_of(account));
    out.setPrefix(data_of(account));
  });
  CHECK(refusal_of(chain, both) == bad_key);
}
