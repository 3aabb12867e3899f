#include <unistd.h>

#include "actors/scorer/joining_worker.hpp"
#include "deploy/soma/network/ledger_place.hpp"
#include "deploy/soma/node/node_wiring.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;
using supervisor::role_failure;

class scorer_verb final : public verb {
 public:
  std::string_view name() const override { return "scorer"; }
  std::string_view summary() const override {
    return "run workers for a scorer pool in another process of the cluster";
  }
  std::string_view example() const override {
    return "soma scorer --join 10.0.0.5:7001 --blobs 10.0.0.5:7002 --certificate scorer-1.pem "
           "--certificate-key scorer-1.key --ca ca.pem";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] expected<void, role_failure> start(supervised_process& process,
                                                   const mesh::host_port& pool,
                                                   const mesh::host_port& blobs,
                                                   std::vector<supervisor::supervised>& all) const;

  std::string join_, blobs_, name_;
  fs::path certificate_, key_, ca_;
  std::uint32_t workers_ = 1;
};

void scorer_verb::declare(option_set& options) {
  options.add("join", join_, "address where the pool listens").required().shown_as("HOST:PORT");
  options.add("blobs", blobs_, "address where the pool's blob store listens")
      .required()
      .shown_as("HOST:PORT");
  options.add("certificate", certificate_, "certificate of this process; see `soma node new-cert`")
      .required();
  options.add("certificate-key", key_, "key of the certificate").also_named("key").required();
  options.add("ca", ca_, "certificate of the operator's authority").required();
  options.add("workers", workers_,
              "number of workers; each has a thread and does one piece of work at a time");
  options.add("name", name_, "name that the pool shows; default: host name and process id");
}

template <class Handle>
expected<Handle, role_failure> connect(caf::actor_system& system, const std::string& name,
                                       const mesh::host_port& at) {
  auto role = cluster::connect_role<Handle>(system, at);
  if (role) return std::move(*role);
  return make_unexpected(role_failure{name, mesh::to_text(at) + ": " + role.error(), true});
}

expected<void, role_failure> scorer_verb::start(supervised_process& process,
                                                const mesh::host_port& pool_at,
                                                const mesh::host_port& blobs_at,
                                                std::vector<supervisor::supervised>& all) const {
  auto& system = process.system();
  const auto blobs = connect<blob_store::blob_store_actor>(system, "blob store", blobs_at);
  if (!blobs) return make_unexpected(blobs.error());
  const auto pool = connect<scorer::scorer_actor>(system, "pool", pool_at);
  if (!pool) return make_unexpected(pool.error());
  all.push_back(supervisor::supervise("blob store", *blobs, false));
  all.push_back(supervisor::supervise("pool", *pool, false));
  for (unsigned i = 1; i <= workers_; ++i) {
    const auto number = "worker " + std::to_string(i);
    auto ports = new_worker_ports(system, *blobs, number, all);
    scorer::pool_membership membership{*pool, process.clock(), name_ + "/" + std::to_string(i)};
    all.push_back(supervisor::supervise(
        number, system.spawn(scorer::joining_worker, std::move(ports), std::move(membership))));
  }
  return {};
}

std::string default_name() {
  char host[64] = {};
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return std::string(host).substr(0, 40) + ":" + std::to_string(::getpid());
}

outcome scorer_verb::run(const run_context& context) {
  const auto usage = "see `soma scorer --help`";
  const auto pool = remote_at("--join", join_);
  if (!pool) return make_unexpected(pool.error());
  const auto blobs = remote_at("--blobs", blobs_);
  if (!blobs) return make_unexpected(blobs.error());
  if (workers_ < 1 || workers_ > 256)
    return wrong_usage("--workers", "it is not between 1 and 256", usage);
  if (name_.empty()) name_ = default_name();
  if (name_.size() > 58) return wrong_usage("--name", "it has more than 58 bytes", usage);
  const cluster::cluster_identity identity{certificate_, key_, ca_};
  if (auto checked = check_identity(identity); !checked) return checked;
  supervised_process process(identity);
  supervised_process::duties duties;
  duties.start = [&](auto& all) { return start(process, *pool, *blobs, all); };
  duties.on_first_up = [&] {
    if (context.wants_json) {
      announce_line(json::of({{"name", name_}, {"workers", workers_}, {"pool", join_}}).text());
    } else {
      announce_line(name_ + " scores for " + join_ + " with " + std::to_string(workers_) +
                    (workers_ == 1 ? " worker" : " workers"));
    }
  };
  if (auto done = process.run(std::move(duties)); !done) return done;
  note_line("stopped; other workers of the pool do the work that was not finished");
  return {};
}

}  // namespace

std::unique_ptr<verb> make_scorer() {
  return std::make_unique<scorer_verb>();
}

}  // namespace soma::cli
