// Validators in processes of their own, as an operator runs them, and a client that sends transfers
// to all of them in turn. When a transfer became final is read from the ledger of the validator to
// which it was sent.
#include <caf/actor_system.hpp>
#include <chrono>
#include <map>
#include <thread>

#include "actors/cluster/cluster.hpp"
#include "actors/cluster/system_config.hpp"
#include "actors/validator/validator_actor.hpp"
#include "deploy/soma/bench/bench_consensus.hpp"
#include "deploy/soma/bench/bench_consensus_member.hpp"
#include "deploy/soma/bench/child_process.hpp"
#include "deploy/soma/genesis/network_homes.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/shell/units.hpp"
#include "messages/crypto/bare_verifier.hpp"
#include "messages/crypto/x509.hpp"
#include "messages/signing/signing.hpp"
#include "storage/tables/ledger_store.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto patience = std::chrono::seconds(60);
constexpr auto again_after = std::chrono::seconds(5);
constexpr std::size_t most_again_per_s = 2'000;
constexpr std::size_t ledger_map_bytes = std::size_t{64} << 30U;

double elapsed_seconds(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

class process_network {
 public:
  explicit process_network(const consensus_load& wanted) : wanted_(wanted) {}

  [[nodiscard]] outcome begin() {
    network_plan plan;
    plan.folder = wanted_.folder;
    plan.validators = wanted_.validators;
    const auto port = free_ports(2 * wanted_.validators);
    if (!port) return failed("cannot start validators", "there are not enough free ports in a row");
    plan.first_port = *port;
    auto homes = network_homes::begin(std::move(plan));
    if (!homes) return make_unexpected(homes.error());
    std::vector<public_key> keys;
    for (const auto& home : homes->all()) keys.push_back(home.key);
    offer_ =
        make_offer(keys, unix_now_ms(), wanted_.transactions_per_s, wanted_.seconds, wanted_.seed);
    if (auto done = homes->finish(offer_.genesis); !done) return done;
    for (const auto& home : homes->all()) {
      homes_.push_back(wanted_.folder / home.name);
      doors_.push_back(home.door);
      const auto config = (homes_.back() / "node.toml").string();
      children_.emplace_back(child_process::setting{{"soma", "node", "run", "--config", config},
                                                    homes_.back() / "log"});
    }
    return connect();
  }

  expected<consensus_figures, failure> measure() {
    const auto cpu_before = cpu();
    const auto height_before = ledgers_.front()->view().height();
    seen_.assign(ledgers_.size(), height_before.value);
    is_final_.assign(offer_.all.size(), false);
    figures_.memory_at_start_bytes = memory();
    std::optional<std::uint64_t> settled_memory;
    start_ = steady::now();
    std::size_t sent = 0;
    // After the last transfer was sent, it waits at most 20 s for the rest to become final.
    const auto quiet_after = wanted_.seconds + 20;
    while (figures_.transactions < offer_.all.size() && elapsed_seconds(start_) < quiet_after) {
      leave_if_stop_requested();
      const auto due =
          std::min(offer_.all.size(),
                   static_cast<std::size_t>(elapsed_seconds(start_) * wanted_.transactions_per_s));
      for (; sent < due; ++sent) {
        sent_at_.push_back(steady::now());
        send(sent);
      }
      send_again();
      look();
      if (!settled_memory && elapsed_seconds(start_) > wanted_.seconds / 4)
        settled_memory = memory();
      std::this_thread::sleep_for(milliseconds(2));
    }
    figures_.memory_bytes = memory();
    figures_.memory_growth_bytes =
        static_cast<std::int64_t>(figures_.memory_bytes) -
        static_cast<std::int64_t>(settled_memory.value_or(figures_.memory_at_start_bytes));
    const auto cpu_after = cpu();
    for (std::size_t i = 0; i < cpu_after.size(); ++i) {
      const auto busy = cpu_after[i] - cpu_before[i];
      figures_.busiest_seconds = std::max(figures_.busiest_seconds, busy);
      figures_.busy_seconds += busy / static_cast<double>(cpu_after.size());
    }
    figures_.offered = offer_.all.size();
    std::vector<const tables::ledger_store*> ledgers;
    for (const auto& one : ledgers_) ledgers.push_back(one.get());
    if (const auto wrong = read_ledgers(ledgers, height_before, figures_)) {
      return failed("cannot trust the figures", *wrong, "report this");
    }
    figures_.verify_seconds = seconds_to_verify(offer_, figures_.transactions);
    return figures_;
  }

 private:
  [[nodiscard]] outcome connect() {
    const auto mine =
        crypto::make_certificate(wanted_.folder / "ca", "bench", wanted_.folder / "client");
    if (!mine) return failed("cannot make a certificate", std::string(to_text(mine.error().why)));
    config_ = std::make_unique<cluster::system_config>(
        cluster::cluster_identity{mine->certificate, mine->key, wanted_.folder / "ca" / "ca.pem"});
    system_ = std::make_unique<caf::actor_system>(*config_);
    const auto start = steady::now();
    for (std::size_t i = 0; i < doors_.size(); ++i) {
      for (;;) {
        leave_if_stop_requested();
        auto role = cluster::connect_role<validator::validator_actor>(*system_, doors_[i]);
        if (role) {
          validators_.push_back(std::move(*role));
          break;
        }
        if (!children_[i].runs() || steady::now() - start > patience) {
          const auto said = children_[i].said();
          return failed("a validator does not start", said.empty() ? role.error() : said,
                        "report this");
        }
        std::this_thread::sleep_for(milliseconds(50));
      }
      ledgers_.push_back(std::make_unique<tables::ledger_store>(
          homes_[i] / "ledger", tables::ledger_options{ledger_map_bytes, true}));
    }
    while (ledgers_.front()->view().height().value == 0) {
      leave_if_stop_requested();
      if (steady::now() - start > patience)
        return failed("no block is made", "the validators do not agree within 60 s");
      std::this_thread::sleep_for(milliseconds(20));
    }
    return {};
  }

  void send(std::size_t number) {
    const auto& one = offer_.all[number];
    caf::anon_send(validators_[one.to], message<schema::SubmitTransaction>::build([&](auto out) {
                     out.setBody(data_of(one.sent.body));
                     out.setSignature(data_of(one.sent.by_sender));
                   }));
  }

  /// A validator whose pool is full refuses a transaction, so the client sends a transaction again
  /// when it is not final after 5 s: at most 2,000 a second, and the oldest first, since the later
  /// transactions of an account wait for the earlier ones.
  void send_again() {
    const auto now = steady::now();
    if (now - looked_back_ < std::chrono::seconds(1)) return;
    looked_back_ = now;
    while (oldest_ < is_final_.size() && is_final_[oldest_]) ++oldest_;
    std::size_t count = 0;
    for (auto i = oldest_; i < sent_at_.size() && count < most_again_per_s; ++i) {
      if (now - sent_at_[i] < again_after) break;
      if (is_final_[i]) continue;
      send(i);
      ++count;
    }
    figures_.sent_again += count;
  }

  /// Looks for new blocks in every ledger and notes which transactions became final.
  void look() {
    for (std::size_t i = 0; i < ledgers_.size(); ++i) {
      const auto view = ledgers_[i]->view();
      const auto now = steady::now();
      for (; seen_[i] < view.height().value; ++seen_[i]) {
        const auto block = view.block_at(block_height{seen_[i] + 1});
        for (const auto& one : block->payload) {
          const auto found = offer_.numbers.find(signing::id_of(one));
          if (found == offer_.numbers.end() || offer_.all[found->second].to != i) continue;
          is_final_[found->second] = true;
          ++figures_.transactions;
          figures_.seconds = elapsed_seconds(start_);
          figures_.final_ms.push_back(
              std::chrono::duration<double, std::milli>(now - sent_at_[found->second]).count());
        }
      }
    }
  }

  [[nodiscard]] std::vector<double> cpu() const {
    std::vector<double> all;
    for (const auto& one : children_) all.push_back(one.cpu_seconds());
    return all;
  }
  [[nodiscard]] std::uint64_t memory() const {
    std::uint64_t most = 0;
    for (const auto& one : children_) most = std::max(most, one.memory_bytes());
    return most;
  }

  const consensus_load& wanted_;
  consensus_offer offer_;
  std::vector<fs::path> homes_;
  std::vector<mesh::host_port> doors_;
  std::vector<child_process> children_;
  std::unique_ptr<cluster::system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  std::vector<validator::validator_actor> validators_;
  std::vector<std::unique_ptr<tables::ledger_store>> ledgers_;
  std::vector<std::uint64_t> seen_;
  std::vector<steady::time_point> sent_at_;  // when each was sent for the first time
  std::vector<bool> is_final_;
  std::size_t oldest_ = 0;  // the first transaction that is not final yet
  steady::time_point looked_back_;
  steady::time_point start_;
  consensus_figures figures_;
};

}  // namespace

expected<consensus_figures, failure> run_consensus_processes(const consensus_load& wanted) {
  process_network network(wanted);
  if (auto begun = network.begin(); !begun) return make_unexpected(begun.error());
  auto found = network.measure();
  if (found && found->transactions == 0) {
    return failed("cannot measure " + std::to_string(wanted.validators) + " processes",
                  "nothing became final", "lower --rate");
  }
  return found;
}

}  // namespace soma::cli
