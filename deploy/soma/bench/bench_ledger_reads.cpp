#include "deploy/soma/bench/bench_ledger_reads.hpp"

#include <functional>

#include "actors/explain/explain.hpp"
#include "messages/codec/codec.hpp"
#include "messages/values/assert.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::cli {
namespace {

using reading = std::function<void(const tables::ledger_view&)>;

/// What `soma status` reads (deploy/soma/inspect/verb_status.cpp).
void read_status(const tables::ledger_view& view) {
  const auto chain = view.chain();
  SOMA_ASSERT(chain && view.find_row(committee_key()), "a ledger that has begun");
  std::uint64_t found = 0;
  for (const auto& [status, count] : view.model_counts()) found += count;
  found += view.targets_of(chain->epoch, chain->epoch).size() + view.undecided_targets().size();
  view.scan_prefix(table_prefix(ledger_table::validator), [&](byte_view, byte_view) {
    ++found;
    return true;
  });
  SOMA_ASSERT(found > 0, "a ledger with models and validators");
}

/// What `soma target list` reads (deploy/soma/inspect/verb_target.cpp).
void read_target_list(const tables::ledger_view& view) {
  constexpr std::size_t shown = 50;
  const auto chain = view.chain();
  const auto listed = view.targets_of(chain->epoch, chain->epoch);
  for (std::size_t i = 0; i < std::min(shown, listed.size()); ++i) {
    SOMA_ASSERT(view.target(listed[i].id), "a target that is listed is there");
  }
}

/// The last epoch that is over. On both chains it was one without transactions.
epoch_number last_epoch(const tables::ledger_view& view) {
  return {view.chain()->epoch.value - 1};
}

void explain_epoch(const tables::ledger_view& view) {
  SOMA_ASSERT(explain::explain_epoch(view, last_epoch(view)), "an epoch that is over");
}

void explain_target(const tables::ledger_view& view) {
  const auto listed = view.targets_of(last_epoch(view), last_epoch(view));
  SOMA_ASSERT(!listed.empty(), "each epoch opens targets");
  SOMA_ASSERT(explain::explain_target(view, listed.front().id), "a target that is there");
}

/// It explains the first account, which is one of many that only transfer.
void explain_account(const tables::ledger_view& view) {
  const auto keys = view.keys_from(ledger_table::account, {}, 1);
  SOMA_ASSERT(!keys.empty(), "a ledger with accounts");
  SOMA_ASSERT(explain::explain_address(view, *id_in_key<address>(keys.front())),
              "an account that is there");
}

}  // namespace

std::vector<bench_row> compare_reads(const std::filesystem::path& old_ledger,
                                     const std::filesystem::path& new_ledger,
                                     const std::string& after, double seconds) {
  const std::vector<std::pair<std::string, reading>> commands{
      {"soma status", read_status},
      {"soma target list", read_target_list},
      {"soma explain EPOCH", explain_epoch},
      {"soma explain TARGET", explain_target},
      {"soma explain ADDRESS", explain_account}};
  std::vector<bench_row> rows;
  for (const auto& [name, read] : commands) {
    const auto run = [&read](const std::filesystem::path& folder) {
      const tables::ledger_store store(folder, {.read_only = true});
      read(store.view());
    };
    const auto taken = race([&] { run(old_ledger); }, [&] { run(new_ledger); },
                            seconds / static_cast<double>(commands.size()));
    rows.push_back({"what `" + name + "` reads" + after, taken.ours_seconds, taken.peer_seconds,
                    "on a new chain", "command", 1});
  }
  return rows;
}

}  // namespace soma::cli
