// Accounts: the keys of the home, the balances of accounts, and sending from one to another.
#include <map>

#include "deploy/soma/send/sending.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/ids.hpp"
#include "deploy/soma/source/keys_home.hpp"
#include "deploy/soma/source/names.hpp"
#include "deploy/soma/source/new_folders.hpp"
#include "deploy/soma/source/positions.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

json key_json(const home_key& key) {
  return json::of({{"name", key.name},
                   {"address", key.half ? json(crypto::address_of(*key.half).text()) : json()},
                   {"public_key", key.half ? json("0x" + to_hex(*key.half)) : json()},
                   {"unreadable", key.unreadable.empty() ? json() : json(key.unreadable)},
                   {"path", key.path.string()}});
}

class wallet_new final : public verb {
 public:
  std::string_view name() const override { return "wallet new"; }
  std::string_view summary() const override { return "make a key, and with it an account"; }
  std::string_view example() const override {
    return "soma wallet new alice\n"
           "soma wallet new robot --no-passphrase";
  }
  void declare(option_set& options) override {
    options.add("name", name_, "name of the key: 1 to 63 characters of a-z A-Z 0-9 . _ -")
        .positional()
        .required()
        .shown_as("NAME");
    options
        .add("no-passphrase", no_passphrase_,
             "store the key unencrypted: a person who reads the file has the money")
        .contradicts("passphrase-file");
    options.add("passphrase-file", passphrase_file_,
                "file whose first line becomes the passphrase; default: SOMA_PASSPHRASE, or it is "
                "asked for");
  }
  outcome run(const run_context& context) override;

 private:
  std::string name_;
  std::filesystem::path passphrase_file_;
  bool no_passphrase_ = false;
};

outcome wallet_new::run(const run_context& context) {
  if (!is_key_name(name_)) {
    return wrong_usage("`" + name_ + "` is not a name for a key",
                       "it is not 1 to 63 characters of a-z A-Z 0-9 . _ -", "choose another");
  }
  if (id_digits(name_)) {
    return wrong_usage("`" + name_ + "` is not a name for a key",
                       "it looks like the beginning of an address", "choose another");
  }
  std::error_code ignored;
  const auto path = context.home / "keys" / (name_ + ".pem");
  if (std::filesystem::exists(path, ignored)) {
    return named(failure_names::exists,
                 failed("will not replace the key " + path.string(),
                        "the money of its account would be lost", "choose another name"));
  }
  std::optional<std::string> phrase;
  if (!no_passphrase_) {
    auto given = passphrase(passphrase_file_, true);
    if (!given) return make_unexpected(given.error());
    phrase = std::move(*given);
  }
  new_folders made_folders(path.parent_path());
  const auto made = make_key(context, name_, phrase);
  if (!made) return make_unexpected(made.error());
  made_folders.keep();
  remember_done("made the key " + made->path.string());
  if (context.wants_json) {
    print_line(key_json(*made).text());
    return {};
  }
  print_line("name     " + made->name);
  print_line("address  " + crypto::address_of(*made->half).text());
  print_line("key      " + made->path.string() +
             (no_passphrase_ ? ", without a passphrase" : ", encrypted"));
  note_line("Keep a copy of the key in another place: a lost key cannot be made again.");
  return {};
}

class wallet_list final : public verb {
 public:
  std::string_view name() const override { return "wallet list"; }
  std::string_view summary() const override {
    return "the keys of the home, and the accounts of its local network";
  }
  std::string_view example() const override { return "soma wallet list"; }
  void declare(option_set&) override {}
  outcome run(const run_context& context) override {
    const auto found = keys_of(context.home);
    if (!found) return make_unexpected(found.error());
    const auto& keys = *found;
    const auto names = names_of_localnet(context.home / "localnet");
    if (!names) return make_unexpected(names.error());
    if (context.wants_json) {
      json::array list;
      for (const auto& key : keys) list.push_back(key_json(key));
      json::array of_localnet;
      for (const auto& [id, name] : names->accounts)
        of_localnet.push_back(json::of({{"name", name}, {"address", id.text()}}));
      print_line(
          json::of({{"keys", json(std::move(list))}, {"localnet", json(of_localnet)}}).text());
      return {};
    }
    if (keys.empty() && names->accounts.empty()) {
      print_line("no keys in " + (context.home / "keys").string() +
                 "; `soma wallet new NAME` makes one");
      return {};
    }
    table rows({"name", "address"});
    for (const auto& key : keys) {
      rows.row({key.name, key.half ? crypto::address_of(*key.half).text()
                          : key.unreadable.empty()
                              ? "locked: showing its address needs the passphrase"
                              : "cannot be read: " + key.unreadable});
    }
    std::map<std::string, address> by_name;
    for (const auto& [id, name] : names->accounts) by_name.emplace(name, id);
    for (const auto& [name, id] : by_name) rows.row({name, id.text()});
    rows.print();
    if (!by_name.empty())
      print_line("accounts without a key here are those of the network in " +
                 (context.home / "localnet").string());
    return {};
  }
};

class wallet_balance final : public verb {
 public:
  std::string_view name() const override { return "wallet balance"; }
  std::string_view summary() const override { return "the balance and the stakes of accounts"; }
  std::string_view example() const override {
    return "soma wallet balance alice\n"
           "soma wallet balance alice --join https://gateway.example.org\n"
           "soma wallet balance 0x3f9a21c4 --join 10.0.0.5:7003 --certificate me.pem "
           "--certificate-key me.key --ca ca.pem";
  }
  void declare(option_set& options) override {
    options
        .add("account", accounts_,
             "names or addresses; default: every key of the home, or every account of the local "
             "network if the home has no key")
        .positional()
        .shown_as("ACCOUNT");
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  std::vector<std::string> accounts_;
  ledger_place place_;
};

outcome wallet_balance::run(const run_context& context) {
  const auto opened = open_source(context, place_);
  if (!opened) return make_unexpected(opened.error());
  auto& source = **opened;
  const name_book names(context, source);
  std::vector<address> wanted;
  for (const auto& text : accounts_) {
    const auto account = account_named(context, source, text);
    if (!account) return make_unexpected(account.error());
    wanted.push_back(*account);
  }
  if (wanted.empty()) {
    auto own = own_accounts(context, source, "wallet balance");
    if (!own) return make_unexpected(own.error());
    wanted = std::move(*own);
  }
  const auto positions = positions_of(source, wanted);
  json::array list;
  table rows({"account", "balance", "staked", "joining", "leaving", "unbonding", "nonce"});
  for (const auto& id : wanted) {
    const auto row = source.row<account_row>(account_key(id));
    const auto staked = sum_of(positions, id);
    const auto held = row.value_or(account_row{});
    list.push_back(json::of({{"address", id.text()},
                             {"name", names.name(id)},
                             {"known", row.has_value()},
                             {"balance_shannons", held.balance.value},
                             {"staked_shannons", staked.staked.value},
                             {"joining_shannons", staked.joining.value},
                             {"leaving_shannons", staked.leaving.value},
                             {"unbonding_shannons", staked.unbonding.value},
                             {"nonce", held.nonce}}));
    rows.row({names.shown(id), to_text(held.balance), to_text(staked.staked),
              to_text(staked.joining), to_text(staked.leaving), to_text(staked.unbonding),
              std::to_string(held.nonce)});
  }
  if (context.wants_json) {
    auto facts = json::of({{"height", source.chain().height.value}, {"accounts", json(list)}});
    add_evidence(facts, source);
    print_line(facts.text());
    return {};
  }
  rows.print();
  note_evidence(source,
                "balances and stakes are proven; that no stake is left out is the gateway's word");
  return {};
}

class wallet_send final : public verb {
 public:
  std::string_view name() const override { return "wallet send"; }
  std::string_view summary() const override { return "send SOMA to another account"; }
  std::string_view example() const override {
    return "soma wallet send bob 12.5 --from alice --join 10.0.0.5:7003 --certificate me.pem "
           "--certificate-key me.key --ca ca.pem\n"
           "soma wallet send 0x3f9a21c4 12500000000sh --from alice --config node.toml --dry-run";
  }
  void declare(option_set& options) override {
    options.add("to", to_, "a key's name, an address, or its first digits")
        .positional()
        .required()
        .shown_as("TO");
    options.add("amount", amount_, "12.5, 12.5SOMA or 12500000000sh")
        .positional()
        .required()
        .shown_as("AMOUNT");
    sender_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  std::string to_, amount_;
  sender_options sender_;
};

outcome wallet_send::run(const run_context& context) {
  const auto amount = amount_of(amount_);
  if (!amount) return make_unexpected(amount.error());
  auto opened = sender::open(context, sender_);
  if (!opened) return make_unexpected(opened.error());
  const auto to = account_named(context, opened->ledger(), to_);
  if (!to) return make_unexpected(to.error());
  if (auto checked = check_owner(*to, "cannot send to " + to_); !checked) return checked;
  const auto done = opened->send(tx::transfer{*to, *amount}, "cannot send " + to_text(*amount));
  if (!done) return make_unexpected(done.error());
  const name_book names(context, opened->ledger());
  if (context.wants_json) {
    auto facts = json::of(
        {{"from", opened->who().text()}, {"to", to->text()}, {"amount_shannons", amount->value}});
    add_receipt(facts, *done);
    print_line(facts.text());
    return {};
  }
  print_line(std::string(done->dry_run ? "would send   " : "sent         ") + to_text(*amount) +
             " from " + names.shown(opened->who()) + " to " + names.shown(*to));
  print_receipt(*done);
  return {};
}

}  // namespace

std::unique_ptr<verb> make_wallet_new() {
  return std::make_unique<wallet_new>();
}
std::unique_ptr<verb> make_wallet_list() {
  return std::make_unique<wallet_list>();
}
std::unique_ptr<verb> make_wallet_balance() {
  return std::make_unique<wallet_balance>();
}
std::unique_ptr<verb> make_wallet_send() {
  return std::make_unique<wallet_send>();
}

}  // namespace soma::cli
