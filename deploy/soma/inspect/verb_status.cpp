// The state of a network on one screen.
#include <algorithm>
#include <map>

#include "actors/explain/names.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/rules/emission.hpp"
#include "actors/rules/fees.hpp"
#include "deploy/soma/commit.hpp"
#include "deploy/soma/network/ledger_place.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/names.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

class status final : public verb {
 public:
  std::string_view name() const override { return "status"; }
  std::string_view summary() const override {
    return "the state of a network: height, epoch, committee, models, targets, money";
  }
  std::string_view example() const override {
    return "soma status\n"
           "soma status --join 10.0.0.5:7003 --certificate me.pem --certificate-key me.key --ca "
           "ca.pem --json";
  }
  void declare(option_set& options) override { place_.declare(options); }
  outcome run(const run_context& context) override;

 private:
  ledger_place place_;
};

/// The name of a state in the report for programs, and its meaning for people.
struct signing_words {
  const char* name;
  const char* meaning;
};

signing_words words_of(schema::SigningState state) {
  switch (state) {
    case schema::SigningState::MEMBER:
      return {"member", "member of the committee, votes"};
    case schema::SigningState::NO_SEAT:
      return {"no seat", "not a member of the committee, follows the network"};
    case schema::SigningState::LISTENING:
      return {"listening", "member of the committee, listens before it votes"};
    case schema::SigningState::FENCED:
      return {"fenced", "member of the committee, FENCED: does not vote in this epoch"};
    case schema::SigningState::MUTE:
      return {"mute", "member of the committee, MUTE: its voting record cannot be written"};
    case schema::SigningState::ALARMED:
      return {"alarmed", "STOPPED by an alarm: see its log"};
  }
  return {"unknown", "in a state that this program does not know"};
}

struct facts {
  chain_row chain;
  committee_row committee;
  std::map<std::string, std::uint64_t> models, targets;
  std::uint64_t validators = 0;
  std::optional<ledger_source::running_validator> validator;
};

/// The chain row proves how many there are of some; the other counts come from indices.
void set_count(std::map<std::string, std::uint64_t>& counts, std::string_view of,
               std::uint64_t count) {
  if (count == 0) {
    counts.erase(std::string(of));
  } else {
    counts[std::string(of)] = count;
  }
}

/// Reads what a status counts. It asks for targets by their epoch, takes the number of models from
/// the ledger and counts no accounts, since there may be millions of all of them.
facts collect(ledger_source& source) {
  facts out;
  out.chain = source.chain();
  out.validator = source.validator_now();
  out.committee = source.row<committee_row>(committee_key()).value_or(committee_row{});
  for (const auto& [status, count] : source.model_counts()) {
    out.models[std::string(explain::name_of(status))] = count;
  }
  // It counts the targets of this epoch, and earlier ones that are not decided yet.
  for (const auto& target : source.targets_of(out.chain.epoch)) {
    ++out.targets[std::string(explain::name_of(target.status))];
  }
  for (const auto& target : source.undecided_targets()) {
    if (target.epoch != out.chain.epoch)
      ++out.targets[std::string(explain::name_of(target.status))];
  }
  set_count(out.models, explain::name_of(model_status::active), out.chain.active_models);
  set_count(out.targets, explain::name_of(target_status::open), out.chain.open_targets);
  source.scan(table_prefix(ledger_table::validator), [&](byte_view, byte_view) {
    ++out.validators;
    return true;
  });
  return out;
}

struct named_pot {
  const char* name;
  shannons amount;
};

/// What a target that is opened now would pay.
shannons next_reward(const ledger_source& source, const chain_row& chain) {
  return rules::target_reward(source.genesis().parameters, chain);
}

std::vector<named_pot> pots_of(const chain_row& c) {
  return {{"balances", c.balances},     {"staked", c.staked},
          {"joining", c.joining},       {"unbonding", c.unbonding},
          {"bonds", c.bonds},           {"set_aside", c.set_aside},
          {"target_pot", c.target_pot}, {"validator_pay", c.validator_pay},
          {"unissued", c.unissued},     {"burned", c.burned}};
}

json counts_json(const std::map<std::string, std::uint64_t>& counts) {
  json::object out;
  for (const auto& [name, count] : counts) out.emplace_back(name, count);
  return out;
}

/// True for the ledger of a local network that has run to its end. Such a network has a time of its
/// own, which has nothing to do with that of this machine, and no block follows.
bool is_finished(const ledger_source& source) {
  return !source.names().models.empty();
}

json status_json(const ledger_source& source, const facts& f, const name_book& names) {
  const auto& c = f.chain;
  json::array seats;
  for (const auto& seat : f.committee.seats) {
    seats.push_back(json::of({{"member", seat.member.text()},
                              {"name", names.name(seat.member)},
                              {"power", seat.power.value},
                              {"blocks_signed", seat.blocks_signed},
                              {"audits_cast", seat.audits_cast},
                              {"audits_due", seat.audits_due}}));
  }
  json::object supply;
  for (const auto& pot : pots_of(c))
    supply.emplace_back(std::string(pot.name) + "_shannons", pot.amount.value);
  const auto ends = c.epoch_start_ms + source.genesis().parameters.epoch_ms;
  auto all = json::of({{"name", source.genesis().name},
                       {"chain", source.chain_of().text()},
                       {"source", source.where()},
                       {"finished", is_finished(source)},
                       {"build", build_text()},
                       {"height", c.height.value},
                       {"time_ms", c.time_ms},
                       {"epoch", c.epoch.value},
                       {"epoch_start_ms", c.epoch_start_ms},
                       {"epoch_end_ms", ends},
                       {"hits", c.hits},
                       {"reward_per_target_shannons", next_reward(source, c).value},
                       {"targets_waiting", c.targets_waiting},
                       {"fee_multiplier_ppm", rules::fee_multiplier(c)},
                       {"congestion_ppm", c.congestion_ppm},
                       {"difficulty_ppm", c.difficulty_ppm},
                       {"committee", json(std::move(seats))},
                       {"validators", f.validators},
                       {"models", counts_json(f.models)},
                       {"targets", counts_json(f.targets)},
                       {"supply", json(std::move(supply))},
                       {"supply_ok", ledger::total_of(c) == supply_cap}});
  if (const auto& at = f.validator) {
    all.set("validator", json::of({{"signing_state", words_of(at->signing).name},
                                   {"signs", at->signs},
                                   {"view", at->view},
                                   {"peers", at->peers},
                                   {"pending_transactions", at->waiting},
                                   {"build", at->build}}));
  }
  add_evidence(all, source);
  return all;
}

/// A text such as "member of the committee, votes; view 17, 3 peers, 0 transactions wait".
std::string validator_text(const ledger_source::running_validator& at) {
  return std::string(words_of(at.signing).meaning) + "; view " + count_text(at.view) + ", " +
         count_text(at.peers) + (at.peers == 1 ? " peer, " : " peers, ") + count_text(at.waiting) +
         (at.waiting == 1 ? " transaction waits" : " transactions wait");
}

/// The build of the validator's program beside that of this one. Two builds that differ are a
/// common reason for answers that surprise.
std::string build_comparison(const std::string& of_validator) {
  const auto own = build_text();
  if (of_validator == own) return own + ", as this program";
  return (of_validator.empty() ? "not told" : of_validator) + "; this program is " + own;
}

std::string counts_text(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += (text.empty() ? "" : ", ") + count_text(count) + " " + name;
  }
  return text.empty() ? "none" : text;
}

/// A text such as "ends in 12 s" or, if no block has ended the epoch in time, "its time ended 3 min
/// 00 s ago".
std::string epoch_text(const ledger_source& source, const chain_row& c) {
  if (is_finished(source)) return "the last one: this local network has ended";
  const auto ends = c.epoch_start_ms + source.genesis().parameters.epoch_ms;
  const auto now = unix_now_ms();
  const auto distance =
      duration_text(static_cast<double>(ends > now ? ends - now : now - ends) / 1'000);
  if (ends > now) return "ends in " + distance;
  return "its time ended " + distance + " ago";
}

void print_status(ledger_source& source, const facts& f, const name_book& names) {
  const auto& c = f.chain;
  print_line("network     " + source.genesis().name + ", chain " + source.chain_of().text());
  print_line("read from   " + source.where());
  if (f.validator) {
    print_line("validator   " + validator_text(*f.validator));
    print_line("build       " + build_comparison(f.validator->build));
  }
  print_line("height      " + count_text(c.height.value) + ", at " + time_text(c.time_ms) +
             (is_finished(source) ? " of its own time" : ""));
  if (!f.validator && !is_finished(source)) {
    const auto now = unix_now_ms();
    const bool is_stored = source.proven() == ledger_source::evidence::own;
    print_line(
        "last block  " +
        duration_text(static_cast<double>(now - std::min(now, c.time_ms)) / 1'000) + " ago" +
        (is_stored ? "; this is what the disk holds, and --join asks the running network" : ""));
  }
  print_line("epoch       " + std::to_string(c.epoch.value) + ", " + epoch_text(source, c));
  print_line("models      " + counts_text(f.models));
  print_line("targets     " + counts_text(f.targets) + "; " + count_text(c.hits) +
             " settled in this epoch; the next to open pays " + to_text(next_reward(source, c)));
  print_line("fees        x " +
             decimal_text(static_cast<double>(rules::fee_multiplier(c)) / 1e6, 4) +
             "; burned in this epoch: " + to_text(c.burned_this_epoch));
  print_line("difficulty  z = " + decimal_text(static_cast<double>(c.difficulty_ppm) / 1e6, 4));
  print_line("");
  table seats({"committee", "power of 10,000", "blocks signed", "audit votes"});
  for (const auto& seat : f.committee.seats) {
    seats.row({names.shown(seat.member), count_text(seat.power.value),
               count_text(seat.blocks_signed),
               count_text(seat.audits_cast) + " of " + count_text(seat.audits_due)});
  }
  seats.print();
  print_line("");
  table pots({"supply", "amount"});
  for (const auto& pot : pots_of(c)) {
    std::string name = pot.name;
    std::ranges::replace(name, '_', ' ');
    pots.row({name, to_text(pot.amount)});
  }
  pots.print();
  const bool is_whole = ledger::total_of(c) == supply_cap;
  print_line(is_whole ? "the sum is " + to_text(supply_cap) + ": every shannon is accounted for"
                      : "THE SUM IS NOT " + to_text(supply_cap));
  note_evidence(source,
                "committee, epoch and supply are proven, and the counts of active models and open "
                "targets; the other counts are the gateway's word");
}

outcome status::run(const run_context& context) {
  const auto opened = open_source(context, place_);
  if (!opened) return make_unexpected(opened.error());
  auto& source = **opened;
  const name_book names(context, source);
  const auto found = collect(source);
  if (context.wants_json) {
    print_line(status_json(source, found, names).text());
  } else {
    print_status(source, found, names);
  }
  return {};
}

}  // namespace

std::unique_ptr<verb> make_status() {
  return std::make_unique<status>();
}

}  // namespace soma::cli
