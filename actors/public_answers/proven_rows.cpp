#include "actors/public_answers/proven_rows.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "actors/state_tree/state_proof.hpp"
#include "messages/codec/codec_proofs.hpp"

namespace soma::public_answers {
namespace {

using enum ledger_refusal;

bool can_be_key(byte_view key) {
  return !key.empty() && key.size() <= max_asked_key_bytes;
}

bool begins_with(byte_view key, byte_view prefix) {
  return key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
}

std::optional<ledger_refusal> look_at(schema::GetProvenRows::Reader asked) {
  const auto prefix = view_of(asked.getPrefix()), after = view_of(asked.getAfter());
  if (asked.getKeys().size() > max_proven_rows || asked.getMost() > max_proven_rows) {
    return too_many;
  }
  if (asked.getKeys().size() > 0) {
    if (!prefix.empty() || !after.empty() || asked.getMost() != 0) return bad_key;
    for (const auto& key : asked.getKeys()) {
      if (!can_be_key(view_of(key))) return bad_key;
    }
    return std::nullopt;
  }
  if (prefix.empty() && asked.getMost() == 0) return too_few;
  if (!can_be_key(prefix)) return bad_key;
  if (!after.empty() && (!can_be_key(after) || !begins_with(after, prefix))) return bad_key;
  if (asked.getMost() == 0) return too_few;
  return std::nullopt;
}

struct row_page {
  struct entry {
    bytes key;
    std::optional<bytes> value;
    bytes proof;
  };
  std::vector<entry> rows;
  std::size_t size_bytes = 0;
  bool more = false;

  void add(const state_tree::tree& tree, byte_view key, std::optional<bytes> value) {
    rows.push_back(
        {{key.begin(), key.end()}, std::move(value), encode(state_tree::prove(tree, key))});
    size_bytes += key.size() + rows.back().proof.size();
    if (rows.back().value) size_bytes += rows.back().value->size();
  }
};

row_page rows_by_key(const tables::ledger_view& ledger, const state_tree::tree& tree,
                     schema::GetProvenRows::Reader asked) {
  row_page page;
  for (const auto& given : asked.getKeys()) {
    page.more = page.size_bytes > max_rows_bytes;
    if (page.more) break;
    const auto key = view_of(given);
    // Bytes that are no key of a table name no row, which the tree proves like any absence.
    page.add(tree, key, table_of(key) ? ledger.find_row(key) : std::nullopt);
  }
  return page;
}

row_page rows_by_prefix(const tables::ledger_view& ledger, const state_tree::tree& tree,
                        schema::GetProvenRows::Reader asked) {
  const auto prefix = view_of(asked.getPrefix()), after = view_of(asked.getAfter());
  bytes first(prefix.begin(), prefix.end());
  if (!after.empty()) {
    // The smallest key after `after` is `after` followed by a zero byte.
    first.assign(after.begin(), after.end());
    first.push_back(0);
  }
  row_page page;
  ledger.scan_from(first, [&](byte_view key, byte_view value) {
    if (!begins_with(key, prefix)) return false;
    page.more = page.rows.size() == asked.getMost() || page.size_bytes > max_rows_bytes;
    if (page.more) return false;
    page.add(tree, key, bytes(value.begin(), value.end()));
    return true;
  });
  return page;
}

}  // namespace

message<schema::ProvenRows> row_prover::answer(const tables::ledger_view& ledger,
                                               const state_tree::tree& tree,
                                               schema::GetProvenRows::Reader asked) {
  if (const auto no = look_at(asked)) return refused<schema::ProvenRows>(*no);
  const auto height = ledger.height();
  if (!newest_ || newest_->headers.front().height != height) {
    auto proof = finality_of(ledger, height);
    if (!proof) return refused<schema::ProvenRows>(proof.error());
    newest_ = std::move(*proof);
  }
  SOMA_ASSERT(newest_->headers.front().state_root == tree.root(),
              "the tree is that of the newest block");
  const auto page = asked.getKeys().size() > 0 ? rows_by_key(ledger, tree, asked)
                                               : rows_by_prefix(ledger, tree, asked);
  return message<schema::ProvenRows>::build([&](auto out) {
    fill(out.initFinality(), *newest_);
    out.setMore(page.more);
    auto list = out.initRows(static_cast<unsigned>(page.rows.size()));
    for (unsigned i = 0; i < page.rows.size(); ++i) {
      const auto& row = page.rows[i];
      list[i].setKey(data_of(row.key));
      list[i].setPresent(row.value.has_value());
      if (row.value) list[i].setValue(data_of(*row.value));
      list[i].setProof(data_of(row.proof));
    }
  });
}

}  // namespace soma::public_answers
