// A network's genesis: from a TOML file, from options, or both; what the command line says wins.
#include <algorithm>
#include <fstream>

#include "actors/rules/genesis_state.hpp"
#include "deploy/soma/config.hpp"
#include "deploy/soma/console.hpp"
#include "deploy/soma/files.hpp"
#include "deploy/soma/genesis_fields.hpp"
#include "deploy/soma/genesis_report.hpp"
#include "deploy/soma/keys_home.hpp"
#include "deploy/soma/units.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/crypto/key_file.hpp"
#include "messages/types/codec.hpp"

namespace soma {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t ten_years_ms = 3'650ULL * 86'400'000ULL;

class genesis_new final : public verb {
 public:
  std::string_view name() const override { return "genesis new"; }
  std::string_view summary() const override { return "make the genesis of a network"; }
  std::string_view example() const override {
    return "soma genesis new -o genesis.bin --validator validator.key --arch tiny "
           "--epoch-seconds 60\n"
           "soma genesis new -o genesis.bin --validator a.key=5000 --validator b.key "
           "--account alice=250 --set hits_wanted=600\n"
           "soma genesis new -o genesis.bin --file network.toml";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] outcome read_file(const run_context& context);
  [[nodiscard]] outcome read_options(const run_context& context);
  [[nodiscard]] outcome set(const std::string& field, const std::string& value,
                            const std::string& where);
  [[nodiscard]] outcome add_account(const run_context& context, const std::string& owner,
                                    const std::string& balance, const std::string& where);
  [[nodiscard]] outcome add_validator(const fs::path& key, const std::string& stake,
                                      const std::string& where);
  [[nodiscard]] outcome finish();

  fs::path file_, output_;
  bool force_ = false;
  std::optional<std::string> network_, arch_;
  std::optional<std::uint64_t> epoch_seconds_, start_ms_;
  std::vector<std::string> accounts_, validators_, settings_;
  std::vector<std::string> given_;  // parameters that somebody set
  genesis born_;
};

void genesis_new::declare(option_set& options) {
  options.add("output", output_, "the file to write").also('o').required().shown_as("FILE");
  options.add("force", force_, "replace a file that exists");
  options
      .add("file", file_,
           "TOML: name, start_ms, [parameters], [[accounts]] owner and balance, [[validators]] key "
           "or public_key, and stake")
      .shown_as("FILE");
  options.add("network", network_, "name of the network; default: soma").shown_as("NAME");
  options.add("arch", arch_, "architecture of every model; default: v1").shown_as("A");
  options.add("epoch-seconds", epoch_seconds_, "length of an epoch; default: a day");
  options.add("start-ms", start_ms_, "Unix time of its beginning; default: now");
  options
      .add("account", accounts_,
           "who is born with money: a key's name or an address; once for each")
      .shown_as("WHO=AMOUNT");
  options
      .add("validator", validators_,
           "key file, made without a passphrase if it is missing, and stake; once for each; "
           "default stake: the minimum")
      .shown_as("KEY[=AMOUNT]");
  options
      .add("set", settings_,
           "any parameter, as `soma genesis inspect` names it; emission_epochs and hits_wanted "
           "follow from the epoch's length if they are not set")
      .shown_as("NAME=VALUE");
}

/// "a=b=c" is "a=b" and "c".
std::pair<std::string, std::string> halves(const std::string& text) {
  const auto at = text.rfind('=');
  if (at == std::string::npos) return {text, ""};
  return {text.substr(0, at), text.substr(at + 1)};
}

unexpected<failure> wrong(const std::string& where, const std::string& why) {
  return wrong_usage(where, why, "see `soma genesis new --help`");
}

outcome genesis_new::set(const std::string& field, const std::string& value,
                         const std::string& where) {
  const auto* found = find_genesis_field(field);
  if (found == nullptr) {
    return wrong_usage(where, "there is no parameter " + field,
                       "`soma genesis inspect` names every one");
  }
  if (!found->set(born_.parameters, value)) {
    return wrong(where,
                 "`" + value + "` is no value of " + field + " (" + std::string(found->what) + ")");
  }
  given_.push_back(field);
  return {};
}

outcome genesis_new::add_account(const run_context& context, const std::string& owner,
                                 const std::string& balance, const std::string& where) {
  genesis_account account;
  const auto amount = parse_amount(balance);
  if (!amount) return wrong(where, "`" + balance + "` is no amount, such as 12.5 or 12500sh");
  account.balance = *amount;
  if (const auto whole = address::parse(owner)) {
    account.owner = *whole;
  } else {
    const auto key = find_key(context, owner);
    if (!key) return make_unexpected(key.error());
    if (!key->half) return failed("cannot read " + key->path.string(), "it is locked");
    account.owner = crypto::address_of(*key->half);
  }
  born_.accounts.push_back(account);
  return {};
}

outcome genesis_new::add_validator(const fs::path& path, const std::string& stake,
                                   const std::string& where) {
  genesis_validator validator;
  if (!stake.empty()) {
    const auto amount = parse_amount(stake);
    if (!amount) return wrong(where, "`" + stake + "` is no amount, such as 5000 or 12500sh");
    validator.stake = *amount;
  }
  auto key = crypto::load_key(path, std::nullopt);
  if (!key && key.error() == crypto::key_file_refusal::not_found) {
    crypto::system_random random;
    auto made = crypto::key_pair::generate(random);
    if (auto saved = crypto::save_key(path, made, std::nullopt); !saved) {
      return failed("cannot make the key " + path.string(),
                    std::string(crypto::to_text(saved.error())), "name another place");
    }
    note_line("made the key " + path.string());
    key = std::move(made);
  }
  if (!key) {
    return failed("cannot use the key " + path.string(), std::string(crypto::to_text(key.error())),
                  "name a key file without a passphrase, or a place for a new one");
  }
  validator.consensus_key = key->public_half();
  born_.validators.push_back(validator);
  return {};
}

/// The text of a member, or of the table's `fallback`.
std::string member(const json& table, std::string_view name) {
  const auto* found = table.find(name);
  return found == nullptr ? "" : found->plain();
}

outcome genesis_new::read_file(const run_context& context) {
  if (file_.empty()) return {};
  const auto document = read_config(file_);
  if (!document) return make_unexpected(document.error());
  const auto folder = fs::absolute(file_).parent_path();
  outcome done;
  for (const auto& [name, value] : *document->as_object()) {
    const auto where = file_.string() + ": " + name;
    const auto* list = value.as_array();
    if (name == "name") {
      born_.name = value.plain();
    } else if (name == "start_ms" && value.unsigned_integer().first) {
      born_.start_ms = value.unsigned_integer().second;
    } else if (name == "parameters" && value.as_object() != nullptr) {
      for (const auto& [field, text] : *value.as_object()) {
        if (done) done = set(field, text.plain(), where + "." + field);
      }
    } else if (name == "accounts" && list != nullptr) {
      for (const auto& one : *list) {
        if (done) done = add_account(context, member(one, "owner"), member(one, "balance"), where);
      }
    } else if (name == "validators" && list != nullptr) {
      for (const auto& one : *list) {
        if (!done) break;
        const auto half = hash256::parse(member(one, "public_key"));
        const auto stake = parse_amount(member(one, "stake"));
        if (half && stake) {
          born_.validators.push_back({half->value, *stake});
        } else if (one.find("key") != nullptr) {
          done = add_validator(folder / member(one, "key"), member(one, "stake"), where);
        } else {
          done = wrong(where, "each needs a key, or a public_key and a stake");
        }
      }
    } else {
      done = wrong(where, "it has no meaning here");
    }
    if (!done) return done;
  }
  return {};
}

outcome genesis_new::read_options(const run_context& context) {
  if (network_) born_.name = *network_;
  if (start_ms_) born_.start_ms = *start_ms_;
  outcome done;
  if (arch_) done = set("architecture", *arch_, "--arch");
  if (epoch_seconds_ && done) {
    if (*epoch_seconds_ < 1 || *epoch_seconds_ > 366 * 86'400) {
      return wrong("--epoch-seconds", "the value is not 1 second to a year");
    }
    done = set("epoch_ms", std::to_string(*epoch_seconds_ * 1'000), "--epoch-seconds");
  }
  for (const auto& one : settings_) {
    const auto [field, value] = halves(one);
    if (done) done = set(field, value, "--set");
  }
  for (const auto& one : accounts_) {
    const auto [owner, balance] = halves(one);
    if (done) done = add_account(context, owner, balance, "--account");
  }
  for (const auto& one : validators_) {
    const auto [key, stake] = halves(one);
    if (done) done = add_validator(key, stake, "--validator");
  }
  return done;
}

/// What follows from the rest, and whether all of it makes a network.
outcome genesis_new::finish() {
  auto& p = born_.parameters;
  const auto is_given = [&](const char* name) {
    return std::ranges::find(given_, name) != given_.end();
  };
  if (p.epoch_ms != 0 && is_given("epoch_ms")) {
    if (!is_given("emission_epochs")) {
      p.emission_epochs = std::max<std::uint64_t>(1, ten_years_ms / p.epoch_ms);
    }
    if (!is_given("hits_wanted")) {
      p.hits_wanted = std::max<std::uint64_t>(1, p.epoch_ms / 1'000);
    }
  }
  if (born_.start_ms == 0) {
    born_.start_ms = unix_now_ms();
  }
  for (auto& validator : born_.validators) {
    if (validator.stake.value == 0) validator.stake = p.min_validator_stake;
  }
  if (born_.validators.empty()) {
    return wrong("a genesis needs a validator", "nobody would make blocks");
  }
  if (const auto refusal = rules::check_genesis(born_)) {
    return failed("cannot make this genesis", std::string(rules::to_text(*refusal)),
                  "see `soma genesis new --help`");
  }
  return {};
}

outcome genesis_new::run(const run_context& context) {
  if (auto free = check_new_file(output_, force_); !free) return free;
  born_.name = "soma";
  auto done = read_file(context);
  if (done) done = read_options(context);
  if (done) done = finish();
  if (!done) return done;
  const auto content = encode(born_);
  std::ofstream file(output_, std::ios::binary);
  file.write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) return failed("cannot write " + output_.string(), "the disk did not take it");
  const auto chain = rules::chain_id_of(born_).text();
  if (context.wants_json) {
    print_line(json::of({{"genesis", output_.string()}, {"chain", chain}}).text());
    return {};
  }
  print_line("genesis  " + output_.string());
  print_line("chain    " + chain);
  for (const auto& line : committee_lines(born_)) print_line(line);
  return {};
}

}  // namespace

std::unique_ptr<verb> make_genesis_new() {
  return std::make_unique<genesis_new>();
}

}  // namespace soma
