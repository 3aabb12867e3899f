// The voting record as a validator uses it: recalled whenever the role starts, written before
// anything is said. What must hold: what could not be recalled whole is never taken for an empty
// past; the key is then fenced by the agreement, and the record opens as missing until that fence
// is in it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "actors/consensus/simplex.hpp"
#include "storage/votes/voting_record_store.hpp"

namespace soma::validator {

class vote_memory {
 public:
  /// Opens it, and keeps it from being opened by another process. Throws lmdb::failure.
  vote_memory(std::filesystem::path directory, const chain_id& chain, const public_key& key,
              votes::voting_record_options options = {});

  /// What the key has said so far, read anew. Throws lmdb::failure.
  [[nodiscard]] consensus::recalled recall();
  /// As it was found when it was opened first: fresh, whole, missing; and what is damaged, if so.
  [[nodiscard]] consensus::record_state found() const { return found_; }
  [[nodiscard]] const std::string& damage() const { return damage_; }

  /// Durable when it returns. Throws lmdb::failure: with storage_full it may be tried again, after
  /// resume().
  void write(const record_batch& batch);
  void resume();

 private:
  [[nodiscard]] voting_record open();

  std::filesystem::path directory_;
  chain_id chain_;
  public_key key_;
  votes::voting_record_options options_;
  std::unique_ptr<votes::voting_record_store> store_;
  consensus::record_state state_ = consensus::record_state::missing;
  consensus::record_state found_ = consensus::record_state::missing;
  std::string damage_;
};

}  // namespace soma::validator
