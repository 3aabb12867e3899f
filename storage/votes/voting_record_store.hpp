// What a validator's key has said in an epoch, so that a crash can't make it say something else
// (consensus R0 and R4; what is in reserve and what is found damaged: security §10.3 and §10.4): an
// LMDB directory of its own, format "soma-votes 1", with a witness beside the tables
// (storage/votes/rollback_guard.hpp) and a file that holds room in reserve.
//   votes: view (u64 BE) | kind (u8) -> block id. proposed: view (u64 BE) -> block id.
//   certificates: view (u64 BE) | kind (u8) -> canonical Certificate.
//   blocks: block id -> canonical Block.
//   head: "head" -> sequence u64 | flags u8 | chain 32 | key 32 | fence u64 | epoch u64 | content
//   32
//         | H("soma.votes", head before) 32; little endian.
// Content is the sum modulo 2^256 of H("soma.votes", table's first letter | key length u8 | key |
// value) over all records. What must hold:
//   - A write is durable, whole, when it returns; one that throws has changed nothing that matters:
//     its batch may be written again.
//   - Opening gives the record as the last write that returned left it, or as one that was cut off
//     just after made it, or says that it can't. Records lost, altered, older than the witness, of
//     another key or chain are damage. (A whole directory set back to an earlier copy of itself is
//     not seen here.)
//   - One process at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "messages/values/votes.hpp"
#include "storage/lmdb/failure.hpp"

namespace soma::votes {

struct voting_record_options {
  std::size_t map_bytes = std::size_t{1} << 30;
  std::size_t reserve_bytes = std::size_t{64} << 20;  // 0: none
  bool sync = true;  // false: writes survive a kill, not a power cut; for simulated networks alone
};

enum class votes_state : std::uint8_t {
  fresh,    // created with its key; nothing was ever written
  intact,   // as it was left
  missing,  // there is none, or a replacement that has not been given a fence yet
  damaged,  // see `why`
};

class voting_record_store {
 public:
  /// For a key that has never voted. There must be nothing at `directory`, or an empty folder.
  /// Throws lmdb::failure.
  static void create(const std::filesystem::path& directory, const chain_id& chain,
                     const public_key& key, const voting_record_options& options = {});
  /// For a key whose record is missing or damaged: moves what is there to "<directory>.lost-<n>"
  /// and creates a record that opens as `missing` until a batch with a fence is written. Throws
  /// lmdb::failure.
  static void replace(const std::filesystem::path& directory, const chain_id& chain,
                      const public_key& key, const voting_record_options& options = {});

  struct opened {
    votes_state state{};
    std::string why;  // of damage, for a person
    voting_record record;
    std::unique_ptr<voting_record_store> store;  // null when there is nothing to write to
  };
  /// Throws lmdb::failure when the machine fails or the record is open elsewhere.
  [[nodiscard]] static opened open(const std::filesystem::path& directory, const chain_id& chain,
                                   const public_key& key,
                                   const voting_record_options& options = {});

  ~voting_record_store();
  voting_record_store(const voting_record_store&) = delete;
  voting_record_store& operator=(const voting_record_store&) = delete;

  /// Durable when it returns. Throws lmdb::failure: storage_full, after which resume() may help, or
  /// another, after which only opening anew does.
  void write(const record_batch& batch);
  /// Writing goes on after room was made, and room is put in reserve again if there is enough.
  void resume();

  /// Writes since it was created.
  [[nodiscard]] std::uint64_t sequence() const;

 private:
  struct inside;
  explicit voting_record_store(std::unique_ptr<inside> made);

  std::unique_ptr<inside> inside_;
};

}  // namespace soma::votes
