#include "actors/validator/ledger_answers.hpp"

#include <doctest/doctest.h>

#include "messages/codec/codec.hpp"
#include "messages/codec/model_entry.hpp"
#include "tests/support/scratch.hpp"

using namespace soma;
using schema::RowSource;

namespace {

/// A ledger with 2,500 targets of epochs 0 to 4, of which every fifth is revealed and the others
/// are settled, and 30 models, of which every third is active and the others are not.
struct old_ledger {
  old_ledger()
      : store(folder.path() / "ledger", {.map_bytes = std::size_t{1} << 28, .sync = false}) {
    std::vector<row_change> rows{{chain_key(), encode(chain_row{})}};
    for (std::uint32_t i = 0; i < 2'500; ++i) {
      target_row row;
      row.epoch = {i / 500};
      row.status = i % 5 == 0 ? target_status::revealed : target_status::settled;
      target_id id;
      id.value = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
      rows.push_back({target_key(id), encode(row)});
    }
    for (std::uint8_t i = 0; i < 30; ++i) {
      model_row row;
      row.status = i % 3 == 0 ? model_status::active : model_status::inactive;
      model_id id;
      id.value.fill(i);
      rows.push_back({model_key(id), encode(row)});
    }
    store.init(as_bytes("genesis"), rows);
  }
  test::scratch_directory folder;
  tables::ledger_store store;
};

/// Reads all pages as a client does.
std::vector<std::pair<bytes, bytes>> all_pages(const tables::ledger_store& store, RowSource from,
                                               byte_view prefix) {
  std::vector<std::pair<bytes, bytes>> found;
  bytes after;
  for (bool more = true; more;) {
    const auto page = validator::rows_answer(store.view(), prefix, after, 300, from);
    for (const auto& row : page.root().getRows()) {
      found.emplace_back(bytes_of(row.getKey()), bytes_of(row.getValue()));
      after = found.back().first;
    }
    CHECK(page.root().getRows().size() <= 300);
    more = page.root().getMore() && page.root().getRows().size() > 0;
  }
  return found;
}

}  // namespace

TEST_CASE("the targets of an epoch and the undecided ones are read by pages, without the others") {
  const old_ledger ledger;
  const bytes third{0, 0, 0, 0, 0, 0, 0, 3};
  const auto of_epoch = all_pages(ledger.store, RowSource::TARGETS_BY_EPOCH, third);
  REQUIRE(of_epoch.size() == 500);
  for (const auto& [key, value] : of_epoch) {
    CHECK(tables::listed_status::parse(key, value)->epoch.value == 3);
  }
  const auto undecided = all_pages(ledger.store, RowSource::TARGETS_UNDECIDED, {});
  REQUIRE(undecided.size() == 500);
  for (const auto& [key, value] : undecided) {
    CHECK(tables::listed_status::parse(key, value)->status == target_status::revealed);
  }
  const auto counts = all_pages(ledger.store, RowSource::TARGET_COUNTS, {});
  REQUIRE(counts.size() == 2);
  CHECK(counts[0].second == bytes{0, 0, 0, 0, 0, 0, 1, 244});
  CHECK(counts[1].second == bytes{0, 0, 0, 0, 0, 0, 7, 208});
  const auto models = all_pages(ledger.store, RowSource::MODEL_COUNTS, {});
  REQUIRE(models.size() == 2);
  CHECK(models[0].second == bytes{0, 0, 0, 0, 0, 0, 0, 10});
  CHECK(models[1].second == bytes{0, 0, 0, 0, 0, 0, 0, 20});
}

TEST_CASE("rows of the ledger need a prefix, and a source that is not known gives nothing") {
  const old_ledger ledger;
  CHECK(all_pages(ledger.store, RowSource::LEDGER, {}).empty());
  CHECK(all_pages(ledger.store, RowSource::LEDGER, table_prefix(ledger_table::target)).size() ==
        2'500);
  CHECK(all_pages(ledger.store, static_cast<RowSource>(77), {}).empty());
}
