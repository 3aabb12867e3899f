#include "tests/actors/rules/worlds/invariants.hpp"
#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {

void model_histories::commit(const event& e) {
  const auto [found, is_new] = all_.try_emplace(e.model.model);
  auto& h = found->second;
  if (is_new) {
    h.owner = e.account;
    must(e.model.version == 1, "a model begins with version 1");
  } else {
    must(h.owner == e.account, "the owner alone updates a model");
    must(h.status != model_status::inactive, "an inactive model takes no update");
    must(e.model.version == h.versions.rbegin()->first + 1, "versions count");
    const auto last = h.versions.rbegin()->second;
    must(last != version_status::committed && last != version_status::revealed,
         "one version is pending at a time");
  }
  h.versions[e.model.version] = version_status::committed;
}

void model_histories::follow(const event& e) {
  if (e.kind == event_kind::model_committed) return commit(e);
  const auto found = all_.find(e.model.model);
  must(found != all_.end(), "what happens to a model happens after its commit");
  auto& h = found->second;
  auto& version = h.versions[e.model.version];
  switch (e.kind) {
    case event_kind::model_revealed:
      must(version == version_status::committed, "a committed version is revealed");
      version = version_status::revealed;
      return;
    case event_kind::model_activated:
      must(version == version_status::revealed, "a revealed version becomes active");
      must(h.status != model_status::inactive, "an inactive model stays inactive");
      if (h.active_version != 0) h.versions[h.active_version] = version_status::superseded;
      version = version_status::active;
      h.status = model_status::active;
      h.active_version = e.model.version;
      return;
    case event_kind::model_update_dropped:
      must(version == version_status::committed || version == version_status::revealed,
           "a pending version is dropped");
      version = version_status::dropped;
      return;
    case event_kind::model_slashed:
      must(h.status != model_status::inactive, "an inactive model is not slashed");
      h.silent = version == version_status::dropped;
      must(!h.silent || h.active_version == 0, "silence is punished before the first activation");
      must(h.silent || version == version_status::revealed || version == version_status::active,
           "a version on trial is slashed");
      if (!h.silent) version = version_status::bad;
      h.status = model_status::inactive;
      return;
    default:  // retired
      must(h.status != model_status::inactive || h.silent, "an inactive model does not retire");
      if (e.model.version == 0) h.versions.erase(0);
      h.status = model_status::inactive;
  }
}

void model_histories::check(const rules::effects& done, const mirror& rows) {
  for (const auto& e : done.events) {
    switch (e.kind) {
      case event_kind::model_committed:
      case event_kind::model_revealed:
      case event_kind::model_activated:
      case event_kind::model_update_dropped:
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
    must((c.after->activation_order == 0) == (h.active_version == 0), "activation gives a place");
    must(!c.before || c.before->activation_order == 0 ||
             c.before->activation_order == c.after->activation_order,
         "a model keeps its place");
    h.silent = false;
  }
  for (const auto& c : rows.versions.changed) {
    must(c.after != nullptr, "no version disappears");
    must(all_.at(c.key.model).versions.at(c.key.version) == c.after->status,
         "events tell a version's status");
    if (!c.before) continue;
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
}

}  // namespace soma::test
