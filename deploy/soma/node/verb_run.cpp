#include "deploy/soma/node/kept_files.hpp"
#include "deploy/soma/node/node_wiring.hpp"
#include "deploy/soma/node/run_node.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

class node_run final : public verb {
 public:
  std::string_view name() const override { return "node run"; }
  std::string_view summary() const override {
    return "run the roles of this machine that --config names";
  }
  std::string_view example() const override { return "soma node run --config node.toml"; }
  void declare(option_set& options) override {
    options.add("first-start", first_start_,
                "the validator's key has never signed anything: its voting record begins now");
    for (const auto* table : {"node", "tls", "roles"}) options.owns_table(table);
  }
  outcome run(const run_context& context) override;

 private:
  bool first_start_ = false;
};

void print_doors(const run_context& context, const node_config& config,
                 const std::vector<published_role>& doors) {
  const auto listen = [&](std::string_view name) -> std::string {
    for (const auto& door : doors) {
      if (door.name == name) return door.address.empty() ? mesh::to_text(door.at) : door.address;
    }
    return {};
  };
  json::array roles;
  for (const auto name : node_roles) {
    if (!config.runs(name)) continue;
    const auto at = listen(name);
    if (context.wants_json) {
      roles.push_back(json::of({{"name", name}, {"listen", at.empty() ? json() : json(at)}}));
    } else {
      announce_line(std::string(name) + (at.empty() ? "  in this process" : "  listens at " + at));
    }
  }
  if (const auto at = listen("mesh"); !at.empty()) {
    if (context.wants_json) {
      roles.push_back(json::of({{"name", "mesh"}, {"listen", at}}));
    } else {
      announce_line("mesh  listens at " + at);
    }
  }
  if (context.wants_json) announce_line(json::of({{"roles", json(std::move(roles))}}).text());
}

outcome node_run::run(const run_context& context) {
  if (context.config_path.empty()) {
    return wrong_usage("--config", "a node needs a configuration",
                       "name a TOML file with [roles.NAME] tables");
  }
  auto config = parse_node_config(context.config, context.config_path, context.home);
  if (!config) return make_unexpected(config.error());
  config->first_start = first_start_;
  return run_node(context, *config);
}

}  // namespace

outcome run_node(const run_context& context, const node_config& config) {
  // What is declared first is given back last: no other node gets the home before all is over.
  const auto lock = lock_home(config);
  if (!lock) return make_unexpected(lock.error());
  supervised_process process(config.identity);
  auto opened = node::open(config, process);
  if (!opened) return make_unexpected(opened.error());
  auto& running = **opened;
  supervised_process::duties duties;
  duties.start = [&](auto& all) { return running.start(all); };
  duties.before_stop = [&] { running.close_doors(); };
  // The ledger is not among them: it is replaced when it is taken over from the peers.
  const kept_files kept({config.home / home_lock_name, config.home / "blobs"});
  duties.check = [&]() -> outcome {
    const auto lost = kept.first_lost();
    if (!lost) return {};
    return failed("the node has ended", lost->string() + " was removed or replaced while it ran",
                  "put the home back from a copy, or start the node on a new one");
  };
  duties.on_first_up = [&] { print_doors(context, config, running.doors()); };
  if (auto done = process.run(std::move(duties)); !done) return done;
  for (const auto& line : running.kept()) note_line(line);
  return {};
}

std::unique_ptr<verb> make_node_run() {
  return std::make_unique<node_run>();
}

}  // namespace soma::cli
