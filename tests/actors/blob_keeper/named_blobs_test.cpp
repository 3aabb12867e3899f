#include "actors/blob_keeper/named_blobs.hpp"

#include "tests/actors/blob_keeper/keeper_world.hpp"

namespace soma::test {
namespace {

using blob_keeper::named_blobs;
using blob_keeper::named_in;

struct one_ledger {
  explicit one_ledger(std::vector<row_change> rows, epoch_number epoch = {})
      : store(folder.path() / "ledger", tables::ledger_options{1u << 28, false, false}) {
    chain_row chain;
    chain.epoch = epoch;
    rows.push_back({chain_key(), encode(chain)});
    store.init(genesis_bytes(), rows);
  }
  scratch_directory folder;
  tables::ledger_store store;
};

}  // namespace

// By security §9.4.
TEST_CASE("weights are named from their commitment on, until they are dropped or judged bad") {
  using enum version_status;
  for (const auto& [status, named] :
       {std::pair{committed, 2}, std::pair{revealed, 2}, std::pair{active, 2},
        std::pair{superseded, 1}, std::pair{dropped, 0}, std::pair{bad, 0}}) {
    CAPTURE(static_cast<int>(status));
    const model_rows rows(blob_id{{9}}, 123, status);
    const one_ledger ledger(rows.changes);
    named_blobs expected;
    if (named > 0) expected[{blob_id{{9}}, 123}] = named == 2;
    CHECK(named_in(ledger.store) == expected);
    named_blobs by_event;
    add_named(ledger.store.view(), rows.committed, by_event);
    CHECK(by_event == expected);
  }
}

// By security §9.4. Fifty models were retired, and the disks of the members are not those of an
// archive.
TEST_CASE("weights that are replaced or retired are named for six epochs after their last use") {
  using enum target_status;
  struct last_use {
    std::optional<target_status> target;  // that names the version, claimed in epoch 10
    std::uint64_t until_epoch;            // in which the weights are named at last
  };
  // The versions were committed in epoch 2. A target that is not decided needs them as long as that
  // lasts.
  const last_use uses[] = {
      {std::nullopt, 8}, {settled, 16}, {expired, 16}, {revealed, 1'000}, {filled, 1'000}};
  for (const auto& use : uses) {
    for (const bool is_retired : {false, true}) {
      for (const auto epoch : {use.until_epoch, use.until_epoch + 1}) {
        CAPTURE(use.until_epoch);
        CAPTURE(is_retired);
        CAPTURE(epoch);
        std::vector<row_change> rows;
        for (std::uint8_t n = 1; n <= 50; ++n) {
          model_row model;
          model.status = is_retired ? model_status::inactive : model_status::active;
          model_version_row version;
          version.status = is_retired ? version_status::active : version_status::superseded;
          version.committed_in = {2};
          version.manifest = {20'000, 1u << 20, blob_id{{n}}, {}};
          const model_version_ref ref{model_id{{n}}, 1};
          rows.push_back({model_key(ref.model), encode(model)});
          rows.push_back({model_version_key(ref), encode(version)});
          if (!use.target) continue;
          target_row target;
          target.status = *use.target;
          target.assigned = {ref};
          submission_row claim;
          claim.claimed_in = {10};
          const target_id id{{n}};
          rows.push_back({target_key(id), encode(target)});
          rows.push_back({submission_key(id), encode(claim)});
        }
        const one_ledger ledger(rows, {epoch});
        const bool is_decided = use.target != revealed && use.target != filled;
        const bool is_named = !is_decided || epoch == use.until_epoch;
        CHECK(named_in(ledger.store).size() == (is_named ? 50 : 0));
      }
    }
  }
}

TEST_CASE("data is named while it is judged, and when it has won, for thirty epochs") {
  using enum target_status;
  for (const auto status : {open, filled, revealed, settled, slashed, expired}) {
    for (const std::uint64_t epoch : {0, 30, 31}) {
      CAPTURE(static_cast<int>(status));
      CAPTURE(epoch);
      const target_rows rows(blob_id{{8}}, 50, status);
      const one_ledger ledger(rows.changes, {epoch});
      named_blobs expected;
      if (status == revealed) expected[{blob_id{{8}}, 50}] = true;
      if (status == settled && epoch <= 30) expected[{blob_id{{8}}, 50}] = false;
      CHECK(named_in(ledger.store) == expected);
    }
  }
}

TEST_CASE("a ledger with more rows than are read at a time is read as a whole") {
  std::vector<row_change> rows;
  crypto::seeded_random random(1);
  for (int i = 0; i < 2'500; ++i) {
    const auto id = random.next_id<target_id>();
    target_row target;
    target.status = target_status::revealed;
    submission_row claim;
    claim.size_bytes = 10;
    claim.blob = random.next_id<blob_id>();
    claim.revealed_at = block_height{1};
    rows.push_back({target_key(id), encode(target)});
    rows.push_back({submission_key(id), encode(claim)});
  }
  const one_ledger ledger(rows);
  CHECK(named_in(ledger.store).size() == 2'500);
}

}  // namespace soma::test
