// Makes the genesis of a network from a TOML file, from options, or from both. Options win over the
// file.

#include <set>

#include "actors/rules/audit.hpp"
#include "actors/rules/genesis_state.hpp"
#include "deploy/soma/genesis/genesis_draft.hpp"
#include "deploy/soma/genesis/genesis_report.hpp"
#include "deploy/soma/genesis/network_homes.hpp"
#include "deploy/soma/genesis/voting_home.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/codec/codec.hpp"
#include "messages/crypto/ed25519.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

class genesis_new final : public verb {
 public:
  std::string_view name() const override { return "genesis new"; }
  std::string_view summary() const override {
    return "make the genesis of a network, alone or with the homes of its nodes";
  }
  std::string_view example() const override {
    return "soma genesis new -o genesis.bin --validator validator.key --arch tiny "
           "--epoch-seconds 60\n"
           "soma genesis new -o genesis.bin --validator a.key=5000 --validator b.key "
           "--account alice=250 --set hits_wanted=600\n"
           "soma genesis new -o genesis.bin --file network.toml\n"
           "soma genesis new --validators 4 --output-dir net --account alice=250\n"
           "soma genesis new --validators 2 --output-dir net --host 10.0.0.1 --host 10.0.0.2";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] outcome read_options(const run_context& context);
  [[nodiscard]] outcome check_output(const run_context& context) const;
  [[nodiscard]] outcome add_homes();
  [[nodiscard]] outcome write_genesis();
  [[nodiscard]] outcome make_records() const;
  void print(const run_context& context) const;

  fs::path file_, output_, output_dir_;
  bool force_ = false;
  std::optional<std::string> network_, arch_;
  std::optional<std::uint64_t> epoch_seconds_, start_ms_;
  std::vector<std::string> accounts_, validators_, settings_;
  network_plan plan_;
  std::vector<std::string> hosts_;
  std::optional<std::string> stake_;
  std::optional<network_homes> homes_;
  std::vector<std::string> given_;  // names of the parameters that were set
  genesis_draft draft_;
};

void genesis_new::declare(option_set& options) {
  options.add("output", output_, "the file to write").also('o').shown_as("FILE");
  options.add("force", force_,
              "replace an existing file, or an existing network with --output-dir");
  options
      .add("file", file_,
           "TOML: name, start_ms, [parameters], [[accounts]] owner and balance, [[validators]] key "
           "or public_key, and stake")
      .shown_as("FILE");
  options.add("network", network_, "name of the network; default: soma").shown_as("NAME");
  options.add("arch", arch_, "architecture of every model; default: v1").shown_as("A");
  options.add("epoch-seconds", epoch_seconds_, "length of an epoch; default: a day");
  options.add("start-ms", start_ms_,
              "Unix time in milliseconds at which the network starts; default: now");
  options
      .add("account", accounts_,
           "an account that starts with money: a key's name or an address; repeat it for more")
      .shown_as("WHO=AMOUNT");
  options
      .add("validator", validators_,
           "key file of a validator, made without a passphrase if it is missing, and stake; repeat "
           "it for more; default stake: the minimum")
      .shown_as("KEY[=AMOUNT]");
  options.add("validators", plan_.validators,
              "instead of --validator: number of validators, each with a home in --output-dir");
  options.add("followers", plan_.followers,
              "number of nodes that follow the network without a vote");
  options.add("gateways", plan_.gateways,
              "number of nodes that follow the network and answer everybody over HTTPS");
  options
      .add("output-dir", output_dir_,
           "folder to make: the genesis, and for each node its keys and a node.toml with the "
           "addresses of the others")
      .shown_as("DIR");
  options
      .add("host", hosts_,
           "host of the nodes: one for all, or one for each validator, follower and gateway; "
           "default: 127.0.0.1")
      .shown_as("HOST");
  options.add("port", plan_.first_port,
              "first port on a host; each node takes two ports, and a gateway three");
  options.add("stake", stake_, "stake of each of --validators; default: the minimum")
      .shown_as("AMOUNT");
  options
      .add("set", settings_,
           "any parameter, as `soma genesis inspect` names it; emission_epochs and hits_wanted "
           "follow from the epoch's length if they are not set")
      .shown_as("NAME=VALUE");
}

/// Splits a text at its last '=': "a=b=c" becomes "a=b" and "c".
std::pair<std::string, std::string> halves(const std::string& text) {
  const auto at = text.rfind('=');
  if (at == std::string::npos) return {text, ""};
  return {text.substr(0, at), text.substr(at + 1)};
}

unexpected<failure> refused_setting(const std::string& where, const std::string& why) {
  return wrong_usage(where, why, "see `soma genesis new --help`");
}

outcome genesis_new::read_options(const run_context& context) {
  if (network_) draft_.genesis().name = *network_;
  outcome done;
  if (start_ms_) done = draft_.set_start(*start_ms_, "--start-ms");
  if (arch_ && done) done = draft_.set("architecture", *arch_, "--arch");
  if (epoch_seconds_ && done) {
    if (*epoch_seconds_ < 1 || *epoch_seconds_ > 366 * 86'400) {
      return refused_setting("--epoch-seconds", "the value is not between 1 second and a year");
    }
    done = draft_.set("epoch_ms", std::to_string(*epoch_seconds_ * 1'000), "--epoch-seconds");
  }
  std::set<std::string> set_before;
  for (const auto& one : settings_) {
    const auto [field, value] = halves(one);
    if (done && !set_before.insert(field).second) {
      return refused_setting("--set " + field, "it is given twice");
    }
    if (done) done = draft_.set(field, value, "--set");
  }
  for (const auto& one : accounts_) {
    const auto [owner, balance] = halves(one);
    if (done) done = draft_.add_account(context, owner, balance, "--account");
  }
  for (const auto& one : validators_) {
    const auto [key, stake] = halves(one);
    if (done && stake.empty() && one.ends_with('=')) {
      return refused_setting("--validator " + one, "an amount is missing after =");
    }
    if (done) done = draft_.add_validator(key, stake, "--validator");
  }
  return done;
}

outcome genesis_new::check_output(const run_context& context) const {
  const auto help = "see `soma genesis new --help`";
  if (output_dir_.empty() == output_.empty()) {
    return wrong_usage(output_.empty() ? "--output or --output-dir" : "--output and --output-dir",
                       output_.empty() ? "neither is given" : "both are given", help);
  }
  if (output_dir_.empty()) {
    if (plan_.validators != 0 || plan_.followers != 0 || plan_.gateways != 0 || !hosts_.empty() ||
        stake_) {
      return wrong_usage("--output-dir", "the homes of nodes need a folder", help);
    }
    std::vector<named_path> others{{"--file", file_}};
    for (const auto& one : validators_) others.push_back({"--validator", halves(one).first});
    const std::vector<named_path> written{{"--output", output_}};
    if (auto distinct = check_distinct(written, others); !distinct) return distinct;
    return check_new_file(context, output_, force_);
  }
  if (!validators_.empty()) {
    return wrong_usage("--validator", "--output-dir makes every key itself",
                       "write --validators N");
  }
  return {};
}

/// Makes the keys of the homes. This comes before the genesis, which names the keys.
outcome genesis_new::add_homes() {
  if (output_dir_.empty()) return {};
  if (!draft_.genesis().validators.empty()) {
    return refused_setting(file_.string(), "--output-dir makes every validator itself");
  }
  auto stake = shannons{0};
  if (stake_) {
    const auto amount = parse_amount(*stake_);
    if (!amount || amount->value == 0)
      return refused_setting("--stake", "`" + *stake_ + "` is not an amount such as 5000");
    stake = *amount;
  }
  auto plan = plan_;
  plan.folder = output_dir_;
  plan.replaces = force_;
  if (!hosts_.empty()) plan.hosts = hosts_;
  auto begun = network_homes::begin(std::move(plan));
  if (!begun) return make_unexpected(begun.error());
  homes_.emplace(std::move(*begun));
  for (const auto& home : homes_->all()) {
    if (home.is_validator) draft_.genesis().validators.push_back({home.key, stake});
  }
  return {};
}

outcome genesis_new::write_genesis() {
  if (homes_) return homes_->finish(draft_.genesis());
  auto written = write_named_file(output_, encode(draft_.genesis()), force_);
  return written ? make_records() : written;
}

/// Makes an empty voting record for each new key. This is safe, since a new key has never voted.
outcome genesis_new::make_records() const {
  const auto chain = signing::chain_id_of(draft_.genesis());
  for (const auto& [path, key] : draft_.new_keys()) {
    auto made = make_voting_record(votes_beside(path, chain), chain, key.public_half());
    if (!made) return made;
  }
  return {};
}

void genesis_new::print(const run_context& context) const {
  const auto chain = signing::chain_id_of(draft_.genesis()).text();
  const auto file = homes_ ? output_dir_ / "genesis.bin" : output_;
  remember_done("made " + file.string());
  if (context.wants_json) {
    auto facts =
        json::of({{"genesis", file.string()},
                  {"chain", chain},
                  {"largest_data_bytes", rules::largest_data_bytes(draft_.genesis().parameters)}});
    if (homes_) facts.set("nodes", homes_json(*homes_, output_dir_));
    return print_line(facts.text());
  }
  print_line("genesis  " + file.string());
  print_line("chain    " + chain);
  print_line("data     " + data_limit_text(draft_.genesis().parameters));
  for (const auto& line : committee_lines(draft_.genesis())) print_line(line);
  if (!homes_) return;
  print_line("");
  table nodes({"home", "for other nodes", "for its operator", "validator"});
  for (const auto& home : homes_->all()) {
    nodes.row({(output_dir_ / home.name).string(), mesh::to_text(home.mesh),
               mesh::to_text(home.door),
               home.is_validator ? crypto::address_of(home.key).text().substr(0, 10)
               : home.gateway    ? "follows, answers everybody"
                                 : "follows"});
  }
  nodes.print();
  for (const auto& home : homes_->all()) {
    if (home.gateway) print_line(home.name + "  " + home.gateway->address);
  }
  note_line("Carry each home to its machine, then: soma node run --config " +
            (output_dir_ / homes_->all().front().name / "node.toml").string());
}

outcome genesis_new::run(const run_context& context) {
  draft_.genesis().name = "soma";
  auto done = check_output(context);
  if (done) done = draft_.read_file(context, file_);
  if (done) done = read_options(context);
  if (done) done = add_homes();
  if (done) done = draft_.finish();
  if (done) done = draft_.save_keys();
  if (done) done = write_genesis();
  if (done) print(context);
  return done;
}

}  // namespace

std::unique_ptr<verb> make_genesis_new() {
  return std::make_unique<genesis_new>();
}

}  // namespace soma::cli
