// The agenda of an epoch's end, protocol §9.2. Whatever the end of an epoch must examine is put on
// the agenda of that epoch as soon as this is known. So the end of an epoch costs time for what has
// to be done and not for everything that exists.
#pragma once

#include "actors/rules/block_run.hpp"

namespace soma::rules {

/// Puts a subject on the agenda of an epoch. A second time changes nothing.
template <class Subject>
void schedule(block_run& run, epoch_number when, const Subject& subject) {
  const agenda_item item{when, subject};
  if (run.state.agenda.find(item) == nullptr) run.state.agenda.put(item, {run.height});
}

/// Takes everything of one kind off the agenda of the epoch that ends, in order of the subjects.
template <class Subject>
[[nodiscard]] std::vector<Subject> take_due(block_run& run) {
  std::vector<Subject> subjects;
  const auto prefix = agenda_key({run.epoch(), Subject{}});
  for (const auto& item : run.state.agenda.keys_with(byte_view(prefix).first(10))) {
    subjects.push_back(std::get<Subject>(item.subject));
    run.state.agenda.erase(item);
  }
  return subjects;
}

}  // namespace soma::rules
