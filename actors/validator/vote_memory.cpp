#include "actors/validator/vote_memory.hpp"

namespace soma::validator {
namespace {

using consensus::record_state;
using votes::votes_state;
using votes::voting_record_store;

record_state state_of(votes_state found) {
  switch (found) {
    case votes_state::fresh:
      return record_state::fresh;
    case votes_state::intact:
      return record_state::intact;
    case votes_state::missing:
    case votes_state::damaged:
      break;
  }
  return record_state::missing;
}

}  // namespace

vote_memory::vote_memory(std::filesystem::path directory, const chain_id& chain,
                         const public_key& key, votes::voting_record_options options)
    : directory_(std::move(directory)), chain_(chain), key_(key), options_(options) {
  (void)open();
  found_ = state_;
}

voting_record vote_memory::open() {
  store_.reset();
  auto past = voting_record_store::open(directory_, chain_, key_, options_);
  if (past.state == votes_state::damaged) damage_ = past.why;
  state_ = state_of(past.state);
  if (state_ == record_state::missing && !past.store) {
    voting_record_store::replace(directory_, chain_, key_, options_);
    past = voting_record_store::open(directory_, chain_, key_, options_);
    SOMA_ASSERT(past.store && past.state == votes_state::missing,
                "a replaced record can be written and is missing");
  }
  store_ = std::move(past.store);
  return std::move(past.record);
}

consensus::recalled vote_memory::recall() {
  auto record = open();
  return {state_, std::move(record)};
}

void vote_memory::write(const record_batch& batch) {
  SOMA_ASSERT(store_, "a record that was recalled is open");
  store_->write(batch);
}

void vote_memory::resume() {
  store_->resume();
}

}  // namespace soma::validator
