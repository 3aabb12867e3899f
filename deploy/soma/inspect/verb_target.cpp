// Targets as the ledger has them. `soma explain` says why a target was paid or not.
#include <bit>

#include "actors/explain/names.hpp"
#include "deploy/soma/network/ledger_place.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/names.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

std::string distance_text(std::uint32_t q30) {
  return decimal_text(q30 * 0x1p-30, 6);
}

json version_json(const model_version_ref& version, const name_book& names) {
  return json::of({{"model", version.model.text()},
                   {"version", version.version},
                   {"name", names.name(version.model)}});
}

json target_json(const target_id& id, const target_row& row, const name_book& names) {
  json::array assigned;
  for (const auto& version : row.assigned) assigned.push_back(version_json(version, names));
  return json::of({{"id", id.text()},
                   {"status", explain::name_of(row.status)},
                   {"epoch", row.epoch.value},
                   {"opened_at", row.opened_at.value},
                   {"reward_shannons", row.reward.value},
                   {"radius", row.radius_q30 * 0x1p-30},
                   {"radius_q30", row.radius_q30},
                   {"assigned", json(std::move(assigned))}});
}

std::string assigned_text(const target_row& row, const name_book& names) {
  std::string text;
  for (const auto& version : row.assigned) {
    text += (text.empty() ? "" : ", ") + names.shown(version.model);
  }
  return text;
}

class target_list final : public verb {
 public:
  std::string_view name() const override { return "target list"; }
  std::string_view summary() const override { return "the targets of an epoch and their status"; }
  std::string_view example() const override {
    return "soma target list\n"
           "soma target list --epoch 3 --status settled --json\n"
           "soma target list --all --limit 1000";
  }
  void declare(option_set& options) override {
    options.add("epoch", epoch_, "epoch in which they were opened; default: the present epoch");
    options.add("all", all_, "targets of every epoch");
    options.add("status", status_, "only targets with this status")
        .among({"open", "filled", "revealed", "settled", "slashed", "expired"});
    options.add("limit", limit_, "number of targets to show at most; all are counted");
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  std::optional<std::uint64_t> epoch_;
  bool all_ = false;
  std::string status_;
  std::uint32_t limit_ = 50;
  ledger_place place_;
};

outcome target_list::run(const run_context& context) {
  if (epoch_ && all_) {
    return wrong_usage("target list", "--epoch and --all exclude each other", "choose one");
  }
  const auto opened = open_source(context, place_);
  if (!opened) return make_unexpected(opened.error());
  auto& source = **opened;
  const name_book names(context, source);
  const auto chain = source.chain();
  const auto epoch = epoch_.value_or(chain.epoch.value);
  std::vector<std::pair<target_id, target_row>> shown;
  std::map<target_status, std::uint64_t> counts;
  const auto take = [&](const target_id& id, target_row row) {
    const bool fits = status_.empty() || explain::name_of(row.status) == status_;
    if (fits && shown.size() < limit_) shown.emplace_back(id, std::move(row));
    return shown.size() < limit_;
  };
  // All open targets are of the present epoch, and the ledger lists them.
  const bool only_open =
      status_ == explain::name_of(target_status::open) && (all_ || epoch == chain.epoch.value);
  const auto take_all = [&](std::span<const target_id> ids) {
    std::vector<row_key> keys;
    for (const auto& id : ids) keys.push_back(target_key(id));
    const auto values = source.find_many(keys);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i]) take(ids[i], ledger_source::decoded<target_row>(*values[i]));
    }
  };
  std::vector<target_id> wanted;
  if (only_open) {
    for (const auto& id : source.listed(list_kind::open_targets)) {
      wanted.push_back(id.as<target_tag>());
    }
    counts[target_status::open] = wanted.size();
    if (wanted.size() > limit_) wanted.resize(limit_);
    take_all(wanted);
  } else if (all_) {
    counts = source.target_counts();
    source.scan(table_prefix(ledger_table::target), [&](byte_view key, byte_view value) {
      return take(*id_in_key<target_id>(key), ledger_source::decoded<target_row>(value));
    });
  } else {
    for (const auto& target : source.targets_of({epoch})) {
      ++counts[target.status];
      const bool fits = status_.empty() || explain::name_of(target.status) == status_;
      if (fits && wanted.size() < limit_) wanted.push_back(target.id);
    }
    take_all(wanted);
  }
  if (context.wants_json) {
    json::object counted;
    for (const auto& [status, count] : counts)
      counted.emplace_back(std::string(explain::name_of(status)), count);
    json::array list;
    for (const auto& [id, row] : shown) list.push_back(target_json(id, row, names));
    auto facts = json::of({{"height", chain.height.value},
                           {"epoch", all_ ? json() : json(epoch)},
                           {"counts", json(std::move(counted))},
                           {"targets", json(std::move(list))}});
    add_evidence(facts, source, only_open);
    print_line(facts.text());
    return {};
  }
  note_evidence(source, only_open ? "each target is proven, and that no open one is left out"
                                  : "each target is proven; that none is left out, and the counts, "
                                    "are the gateway's word");
  table rows({"target", "epoch", "status", "reward", "radius", "assigned"});
  for (const auto& [id, row] : shown) {
    rows.row({id.short_text(), std::to_string(row.epoch.value),
              std::string(explain::name_of(row.status)), to_text(row.reward),
              distance_text(row.radius_q30), assigned_text(row, names)});
  }
  if (rows.rows() > 0) rows.print();
  std::string summary = all_ ? "all epochs:" : "epoch " + std::to_string(epoch) + ":";
  for (const auto& [status, count] : counts) {
    summary += " " + count_text(count) + " " + std::string(explain::name_of(status)) + ",";
  }
  summary.pop_back();
  if (counts.empty()) summary += ": no targets";
  print_line(summary);
  return {};
}

class target_info final : public verb {
 public:
  std::string_view name() const override { return "target info"; }
  std::string_view summary() const override { return "one target, its claim and the votes on it"; }
  std::string_view example() const override { return "soma target info 0x9b0c44e1"; }
  void declare(option_set& options) override {
    options.add("target", target_, "id of the target, or at least its first 8 digits")
        .positional()
        .required()
        .shown_as("TARGET");
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  std::string target_;
  ledger_place place_;
};

json claim_json(const submission_row& claim, const name_book& names) {
  json::array votes;
  for (const auto& vote : claim.votes) {
    votes.push_back(json::of({{"voter", vote.voter.text()},
                              {"power", vote.power.value},
                              {"verdict", explain::name_of(vote.verdict)}}));
  }
  const bool is_revealed = claim.revealed_at.has_value();
  return json::of({{"submitter", claim.submitter.text()},
                   {"winner", version_json(claim.winner, names)},
                   {"loss", std::bit_cast<float>(claim.loss_bits)},
                   {"distance", claim.distance_q30 * 0x1p-30},
                   {"distance_q30", claim.distance_q30},
                   {"bytes", claim.size_bytes},
                   {"bond_shannons", claim.bond.value},
                   {"claimed_in_epoch", claim.claimed_in.value},
                   {"claimed_at", claim.claimed_at.value},
                   {"revealed_at", is_revealed ? json(claim.revealed_at->value) : json()},
                   {"data", is_revealed ? json(claim.data.text()) : json()},
                   {"blob", is_revealed ? json(claim.blob.text()) : json()},
                   {"extensions", claim.extensions},
                   {"sampled", claim.sampled},
                   {"votes", json(std::move(votes))}});
}

void print_claim(const submission_row& claim, const name_book& names) {
  print_line("");
  print_line("claimed     by " + names.shown(claim.submitter) + " in block " +
             std::to_string(claim.claimed_at.value) + ", epoch " +
             std::to_string(claim.claimed_in.value));
  print_line("winner      model " + names.shown(claim.winner.model) + " version " +
             std::to_string(claim.winner.version) + ", loss " +
             json(std::bit_cast<float>(claim.loss_bits)).text() + ", distance " +
             distance_text(claim.distance_q30));
  print_line("data        " + to_text(byte_count{claim.size_bytes}) + ", " +
             (claim.revealed_at ? "revealed in block " + std::to_string(claim.revealed_at->value) +
                                      ", " + claim.data.text()
                                : "not revealed"));
  print_line("bond        " + to_text(claim.bond));
  if (claim.extensions > 0) {
    print_line("audit       put off by " + std::to_string(claim.extensions) + " epochs");
  }
  if (claim.sampled) print_line("audit       by a sample of the committee");
  if (claim.votes.empty()) return;
  print_line("");
  table votes({"auditor", "power", "verdict"});
  for (const auto& vote : claim.votes) {
    votes.row({names.shown(vote.voter), std::to_string(vote.power.value),
               std::string(explain::name_of(vote.verdict))});
  }
  votes.print();
}

outcome target_info::run(const run_context& context) {
  const auto opened = open_source(context, place_);
  if (!opened) return make_unexpected(opened.error());
  auto& source = **opened;
  const auto id = target_named(source, target_);
  if (!id) return make_unexpected(id.error());
  const auto row = source.row<target_row>(target_key(*id));
  if (!row) {
    return failed("there is no target " + id->text(), source.where() + " does not have it",
                  "`soma target list --all` shows all targets");
  }
  const name_book names(context, source);
  const auto claim = source.row<submission_row>(submission_key(*id));
  if (context.wants_json) {
    auto facts = target_json(*id, *row, names);
    facts.set("claim", claim ? claim_json(*claim, names) : json());
    facts.set("height", source.chain().height.value);
    print_line(facts.text());
    return {};
  }
  print_line("target      " + id->text());
  print_line("status      " + std::string(explain::name_of(row->status)));
  print_line("opened      in block " + std::to_string(row->opened_at.value) + ", epoch " +
             std::to_string(row->epoch.value));
  print_line("reward      " + to_text(row->reward));
  print_line("radius      " + distance_text(row->radius_q30));
  print_line("assigned    " + assigned_text(*row, names));
  if (claim) print_claim(*claim, names);
  print_line("");
  print_line("why         soma explain " + id->short_text());
  return {};
}

}  // namespace

std::unique_ptr<verb> make_target_list() {
  return std::make_unique<target_list>();
}
std::unique_ptr<verb> make_target_info() {
  return std::make_unique<target_info>();
}

}  // namespace soma::cli
