// The models of a network: a list of all, the facts about one, and how its owner retires one.
#include "actors/explain/names.hpp"
#include "actors/rules/pools.hpp"
#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/send/sending.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

struct listed {
  model_id id;
  model_row row;
};

std::string standing_of(const model_row& row) {
  if (row.retiring && row.status != model_status::inactive) return "retiring";
  return std::string(explain::name_of(row.status));
}

json model_json(const listed& one, const name_book& names) {
  const auto& row = one.row;
  return json::of({{"id", one.id.text()},
                   {"name", names.name(one.id)},
                   {"owner", row.owner.text()},
                   {"owner_name", names.name(row.owner)},
                   {"status", standing_of(row)},
                   {"active_version", row.active_version},
                   {"latest_version", row.latest_version},
                   {"stake_shannons", row.pool.stake.value},
                   {"own_stake_shannons", rules::own_stake(row.pool).value},
                   {"shares", row.pool.shares},
                   {"commission_bps", row.commission_bps},
                   {"next_commission_bps", row.next_commission_bps}});
}

class model_list final : public verb {
 public:
  std::string_view name() const override { return "model list"; }
  std::string_view summary() const override { return "the models of a network"; }
  std::string_view example() const override {
    return "soma model list\n"
           "soma model list --status active --owner alice --json";
  }
  void declare(option_set& options) override {
    options.add("status", status_, "only models with this status")
        .among({"committed", "active", "retiring", "inactive"});
    options.add("owner", owner_, "only models of this account").shown_as("ACCOUNT");
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  std::string status_, owner_;
  ledger_place place_;
};

/// Every model, or the active ones alone. Over gateways the scan may leave some out, so the active
/// ones are read by their list, too.
std::vector<listed> read_models(ledger_source& source, bool only_active) {
  std::map<model_id, model_row> found;
  if (!only_active) {
    source.scan(table_prefix(ledger_table::model), [&](byte_view key, byte_view value) {
      found.emplace(*id_in_key<model_id>(key), ledger_source::decoded<model_row>(value));
      return true;
    });
  }
  if (only_active || source.proven() == ledger_source::evidence::rows) {
    std::vector<model_id> wanted;
    std::vector<row_key> keys;
    for (const auto& id : source.listed(list_kind::active_models)) {
      const auto model = id.as<model_tag>();
      if (found.contains(model)) continue;
      wanted.push_back(model);
      keys.push_back(model_key(model));
    }
    const auto values = source.find_many(keys);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i]) found.emplace(wanted[i], ledger_source::decoded<model_row>(*values[i]));
    }
  }
  std::vector<listed> all;
  for (auto& [id, row] : found) all.push_back({id, std::move(row)});
  return all;
}

outcome model_list::run(const run_context& context) {
  const auto opened = open_source(context, place_);
  if (!opened) return make_unexpected(opened.error());
  auto& source = **opened;
  const name_book names(context, source);
  std::optional<address> owner;
  if (!owner_.empty()) {
    const auto found = account_named(context, source, owner_);
    if (!found) return make_unexpected(found.error());
    owner = *found;
  }
  const bool only_active = status_ == "active";
  auto models = read_models(source, only_active);
  std::erase_if(models, [&](const listed& one) {
    return (owner && one.row.owner != *owner) ||
           (!status_.empty() && standing_of(one.row) != status_);
  });
  if (context.wants_json) {
    json::array list;
    for (const auto& one : models) list.push_back(model_json(one, names));
    auto facts =
        json::of({{"height", source.chain().height.value}, {"models", json(std::move(list))}});
    add_evidence(facts, source, only_active);
    print_line(facts.text());
    return {};
  }
  note_evidence(source, only_active
                            ? "each model is proven, and that no active one is left out"
                            : "each model is proven, and that no active one is left out; that no "
                              "other is left out is the gateway's word");
  if (models.empty()) {
    print_line("no models");
    return {};
  }
  table rows({"model", "status", "version", "stake", "own", "commission", "owner"});
  for (const auto& one : models) {
    const auto& row = one.row;
    auto version = row.active_version == 0 ? std::string("-") : std::to_string(row.active_version);
    if (row.latest_version > row.active_version) {
      version += " (" + std::to_string(row.latest_version) + " to come)";
    }
    rows.row({names.shown(one.id), standing_of(row),
              row.status == model_status::inactive ? "-" : version, to_text(row.pool.stake),
              to_text(rules::own_stake(row.pool)), percent(row.commission_bps),
              names.shown(row.owner)});
  }
  rows.print();
  return {};
}

class model_info final : public verb {
 public:
  std::string_view name() const override { return "model info"; }
  std::string_view summary() const override { return "one model: its stake and its versions"; }
  std::string_view example() const override { return "soma model info 0x3f9a21c4"; }
  void declare(option_set& options) override {
    options.add("model", model_, "id of the model, at least its first 8 digits, or its name")
        .positional()
        .required()
        .shown_as("MODEL");
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  std::string model_;
  ledger_place place_;
};

struct listed_version {
  std::uint32_t number = 0;
  model_version_row row;
};

std::vector<listed_version> versions_of(ledger_source& source, const model_id& model) {
  auto prefix = table_prefix(ledger_table::model_version);
  prefix.insert(prefix.end(), model.value.begin(), model.value.end());
  std::vector<listed_version> all;
  source.scan(prefix, [&](byte_view key, byte_view value) {
    all.push_back({version_in_key(key)->version, ledger_source::decoded<model_version_row>(value)});
    return true;
  });
  return all;
}

json version_json(const listed_version& one) {
  const auto& row = one.row;
  const bool is_revealed = !row.weights.is_zero();
  json::array votes;
  for (const auto& vote : row.votes) {
    votes.push_back(json::of({{"voter", vote.voter.text()},
                              {"power", vote.power.value},
                              {"verdict", explain::name_of(vote.verdict)}}));
  }
  return json::of({{"version", one.number},
                   {"status", explain::name_of(row.status)},
                   {"committed_in_epoch", row.committed_in.value},
                   {"bytes", row.manifest.size_bytes},
                   {"blob", row.manifest.root.text()},
                   {"iv", "0x" + to_hex(row.manifest.iv)},
                   {"activation_order", row.activation_order},
                   {"weights", is_revealed ? json(row.weights.text()) : json()},
                   {"key", is_revealed ? json("0x" + to_hex(row.key)) : json()},
                   {"embedding_dim", row.embedding.size()},
                   {"votes", json(std::move(votes))}});
}

/// The next deadline of a version; empty if it has none.
std::string next_step(const listed_version& one, epoch_number now) {
  const auto in = one.row.committed_in.value;
  if (one.row.status == version_status::committed) {
    return now.value <= in ? "to be revealed in epoch " + std::to_string(in + 1)
                           : "to be revealed in this epoch";
  }
  if (one.row.status == version_status::revealed) {
    return "active from epoch " + std::to_string(now.value + 1) +
           " on if a quorum of validators finds it good";
  }
  return {};
}

outcome model_info::run(const run_context& context) {
  const auto opened = open_source(context, place_);
  if (!opened) return make_unexpected(opened.error());
  auto& source = **opened;
  const auto id = model_named(source, model_);
  if (!id) return make_unexpected(id.error());
  const auto row = source.row<model_row>(model_key(*id));
  if (!row) {
    return failed("there is no model " + id->text(), source.where() + " does not have it",
                  "`soma model list` shows all models");
  }
  const name_book names(context, source);
  const auto versions = versions_of(source, *id);
  const auto chain = source.chain();
  if (context.wants_json) {
    auto facts = model_json({*id, *row}, names);
    json::array list;
    for (const auto& one : versions) list.push_back(version_json(one));
    facts.set("versions", json(std::move(list)));
    facts.set("height", chain.height.value);
    facts.set("epoch", chain.epoch.value);
    print_line(facts.text());
    return {};
  }
  const auto named = names.name(*id);
  const auto* name = named.as_string();
  print_line("model       " + id->text() + (name == nullptr ? "" : " (" + *name + ")"));
  print_line("owner       " + row->owner.text());
  print_line("status      " + standing_of(*row));
  print_line("stake       " + to_text(row->pool.stake) + ", of which the owner's " +
             to_text(rules::own_stake(row->pool)));
  print_line("commission  " + percent(row->commission_bps) +
             (row->next_commission_bps == row->commission_bps
                  ? ""
                  : ", next epoch " + percent(row->next_commission_bps)));
  print_line("");
  table rows({"version", "status", "epoch", "size", "weights", "verdicts", "next"});
  for (const auto& one : versions) {
    rows.row({std::to_string(one.number), std::string(explain::name_of(one.row.status)),
              std::to_string(one.row.committed_in.value),
              to_text(byte_count{one.row.manifest.size_bytes}),
              one.row.weights.is_zero() ? "not revealed" : one.row.weights.short_text(),
              verdicts_text(one.row.votes), next_step(one, chain.epoch)});
  }
  rows.print();
  return {};
}

class model_retire final : public verb {
 public:
  std::string_view name() const override { return "model retire"; }
  std::string_view summary() const override {
    return "take a model of yours off the network at the end of the epoch";
  }
  std::string_view example() const override {
    return "soma model retire 0x3f9a21c4 --from alice --config node.toml";
  }
  void declare(option_set& options) override {
    options.add("model", model_, "id of the model, or at least its first 8 digits")
        .positional()
        .required()
        .shown_as("MODEL");
    sender_.declare(options);
  }
  outcome run(const run_context& context) override {
    auto opened = sender::open(context, sender_);
    if (!opened) return make_unexpected(opened.error());
    const auto model = model_named(opened->ledger(), model_);
    if (!model) return make_unexpected(model.error());
    const auto done = opened->send(tx::retire_model{*model}, "cannot retire " + model->text());
    if (!done) return make_unexpected(done.error());
    const auto epoch = done->dry_run ? opened->ledger().chain().epoch : done->state.epoch;
    if (context.wants_json) {
      auto facts = json::of({{"model", model->text()}, {"inactive_after_epoch", epoch.value}});
      add_receipt(facts, *done);
      print_line(facts.text());
      return {};
    }
    print_line("model        " + model->text());
    print_line("retired      at the end of epoch " + std::to_string(epoch.value) +
               "; then `soma stake withdraw` takes the stake out");
    print_receipt(*done);
    return {};
  }

 private:
  std::string model_;
  sender_options sender_;
};

}  // namespace

std::unique_ptr<verb> make_model_list() {
  return std::make_unique<model_list>();
}
std::unique_ptr<verb> make_model_info() {
  return std::make_unique<model_info>();
}
std::unique_ptr<verb> make_model_retire() {
  return std::make_unique<model_retire>();
}

}  // namespace soma::cli
