#include "deploy/soma/source/positions.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace soma;
using namespace soma::cli;

namespace {

/// A ledger in memory.
class plain_source final : public ledger_source {
 public:
  std::optional<bytes> find(byte_view key) override {
    const auto found = rows.find(row_key(key.begin(), key.end()));
    return found == rows.end() ? std::nullopt : std::optional(found->second);
  }
  void scan(byte_view prefix, const tables::row_visitor& visit) override {
    for (const auto& [key, value] : rows) {
      const bool begins = key.size() >= prefix.size() &&
                          std::ranges::equal(byte_view(key).first(prefix.size()), prefix);
      if (begins && !visit(key, value)) return;
    }
  }
  void scan_index(tables::row_index, byte_view, const tables::row_visitor&) override {}
  std::string where() const override { return "memory"; }

  std::map<row_key, bytes> rows;
};

struct fixture {
  address owner{{1}}, holder{{2}};
  plain_source source;
  validator_row validator;
  stake_row row;

  fixture() {
    validator.pool = {{1'000}, 100, 60, {{{7}, {50}, {40}}}};
    row.shares = 40;
    row.leaving_shares = 10;
    row.unbonding = {{{5}, {7}}};
  }
  std::vector<position> positions() {
    source.rows[validator_key(owner)] = encode(validator);
    source.rows[stake_key({owner, holder})] = encode(row);
    return positions_in(source, owner);
  }
};

}  // namespace

TEST_CASE("a holder's position is a part of the pool, and what leaves bears its losses") {
  fixture f;
  const auto found = f.positions();
  REQUIRE(found.size() == 2);
  CHECK(found[0].is_owner);
  CHECK(found[0].worth.value == 600);
  CHECK(found[1].worth.value == 400);
  CHECK(found[1].leaving.value == 100);
  CHECK(found[1].unbonding().value == 4);  // of 5, as 40 are kept of 50
  CHECK(sum_of(found, f.holder).staked.value == 400);
}

TEST_CASE("rows that are not of one state are refused, and nothing is computed with them") {
  const auto refuses = [](const std::function<void(fixture&)>& change) {
    fixture f;
    change(f);
    CHECK_THROWS_AS((void)f.positions(), source_failure);
  };
  refuses([](fixture& f) { f.row.shares = 101; });
  refuses([](fixture& f) { f.row.leaving_shares = 101; });
  refuses([](fixture& f) { f.row.unbonding[0].amount.value = 51; });
  refuses([](fixture& f) { f.row.unbonding[0].payable_in = {8}; });
  refuses([](fixture& f) {
    f.validator.pool.unbonding[0].amount = f.validator.pool.unbonding[0].kept = {};
    f.row.unbonding[0].amount = {};
  });
  refuses([](fixture& f) { f.validator.pool.owner_shares = 101; });
}
