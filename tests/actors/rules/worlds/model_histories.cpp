#include "tests/actors/rules/worlds/invariants.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

constexpr const char* model_states[] = {"committed", "active", "inactive"};
constexpr const char* version_states[] = {"committed",  "revealed", "active",
                                          "superseded", "dropped",  "bad"};

std::string name_of(model_status status) {
  return model_states[static_cast<std::size_t>(status)];
}
std::string name_of(version_status status) {
  return version_states[static_cast<std::size_t>(status)];
}

bool is_good(model_verdict verdict) {
  return verdict == model_verdict::good;
}
bool is_bad(model_verdict verdict) {
  return !is_good(verdict);
}

}  // namespace

void model_histories::step_model(history& h, model_status to) {
  if (h.status == to) return;
  steps_.take(life::model, name_of(h.status), name_of(to));
  h.status = to;
}

void model_histories::step_version(history& h, std::uint32_t number, version_status to) {
  auto& version = h.versions.at(number);
  steps_.take(life::version, name_of(version), name_of(to));
  version = to;
}

void model_histories::commit(const event& e) {
  const auto [found, is_new] = all_.try_emplace(e.model.model);
  auto& h = found->second;
  if (is_new) {
    h.owner = e.account;
    must(e.model.version == 1, "a model begins with version 1");
    steps_.take(life::model, "[*]", name_of(h.status));
  } else {
    must(h.owner == e.account, "the owner alone updates a model");
    must(h.status != model_status::inactive, "an inactive model takes no update");
    must(e.model.version == h.versions.rbegin()->first + 1, "versions count");
    const auto last = h.versions.rbegin()->second;
    must(last != version_status::committed && last != version_status::revealed,
         "one version is pending at a time");
  }
  h.versions[e.model.version] = version_status::committed;
  steps_.take(life::version, "[*]", name_of(version_status::committed));
}

void model_histories::follow(const event& e) {
  if (e.kind == event_kind::model_committed) return commit(e);
  const auto found = all_.find(e.model.model);
  must(found != all_.end(), "what happens to a model happens after its commit");
  auto& h = found->second;
  const auto number = e.model.version;
  switch (e.kind) {
    case event_kind::model_revealed:
      return step_version(h, number, version_status::revealed);
    case event_kind::model_activated:
      if (h.active_version != 0) step_version(h, h.active_version, version_status::superseded);
      step_version(h, number, version_status::active);
      step_model(h, model_status::active);
      h.active_version = number;
      return;
    case event_kind::model_update_dropped:
      return step_version(h, number, version_status::dropped);
    case event_kind::model_not_accepted:
      must(e.detail < 6'667, "a version with a quorum of good is accepted");
      must(e.amount.value == 0, "a version that is not accepted costs nothing");
      step_version(h, number, version_status::dropped);
      if (h.active_version == 0) step_model(h, model_status::inactive);
      return;
    case event_kind::model_slashed:
      must(h.status != model_status::inactive, "an inactive model is not slashed");
      h.silent = h.versions.at(number) == version_status::dropped;
      must(!h.silent || h.active_version == 0, "silence is punished before the first activation");
      if (!h.silent) step_version(h, number, version_status::bad);
      return step_model(h, model_status::inactive);
    default:  // retired
      must(h.status != model_status::inactive || h.silent, "an inactive model does not retire");
      step_model(h, model_status::inactive);
  }
}

void model_histories::check_version(const mirror_table<model_version_row>::delta& c,
                                    const mirror& rows, const deciding_powers& powers) const {
  must(c.after != nullptr, "no version disappears");
  must(all_.at(c.key.model).versions.at(c.key.version) == c.after->status,
       "events tell a version's status");
  const auto status_before = c.before ? c.before->status : version_status::committed;
  must((c.after->activation_order != 0) == (c.after->status == version_status::active ||
                                            c.after->status == version_status::superseded ||
                                            (c.before && c.before->activation_order != 0)),
       "a version gets its place when it becomes active");
  if (status_before != c.after->status) {
    const auto& votes = c.after->votes;
    if (c.after->status == version_status::active)
      must(powers.where(votes, is_good) >= 6'667, "only a quorum of good makes a version active");
    if (c.after->status == version_status::bad)
      must(powers.where(votes, is_bad) >= 6'667, "only a quorum of bad verdicts slashes");
  }
  if (!c.before) return;
  must(c.before->activation_order == 0 || c.before->activation_order == c.after->activation_order,
       "a version keeps its place");
  must(c.before->commitment == c.after->commitment && c.before->manifest == c.after->manifest &&
           c.before->committed_in == c.after->committed_in,
       "a version's commitment is not altered");
  must(c.before->status != version_status::committed ||
           c.after->status == version_status::committed || c.after->weights.is_zero() ||
           rows.chain_before.epoch == c.before->committed_in.next(),
       "a version is revealed in the epoch after its commit");
  must(c.before->status == version_status::committed ||
           (c.before->weights == c.after->weights && c.before->key == c.after->key &&
            c.before->embedding == c.after->embedding),
       "a revealed version is not altered");
}

void model_histories::check(const rules::effects& done, const mirror& rows,
                            const deciding_powers& powers) {
  for (const auto& e : done.events) {
    switch (e.kind) {
      case event_kind::model_committed:
      case event_kind::model_revealed:
      case event_kind::model_activated:
      case event_kind::model_update_dropped:
      case event_kind::model_not_accepted:
      case event_kind::model_slashed:
      case event_kind::model_retired:
        follow(e);
        break;
      default:
        break;
    }
  }
  for (const auto& c : rows.models.changed) {
    const auto found = all_.find(c.key);
    must(found != all_.end(), "a model's row comes with the event");
    auto& h = found->second;
    must(h.status == c.after->status, "events tell a model's status");
    must(h.owner == c.after->owner, "a model keeps its owner");
    must(h.active_version == c.after->active_version, "events tell a model's active version");
    must(h.versions.rbegin()->first == c.after->latest_version, "events tell the latest version");
    h.silent = false;
  }
  for (const auto& c : rows.versions.changed) check_version(c, rows, powers);
}

}  // namespace soma::test
