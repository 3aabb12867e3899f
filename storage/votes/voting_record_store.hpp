// What a validator's key has said in an epoch, kept so that a crash can't make it say something
// else (consensus R0 and R4; the reserve and what counts as damage: security §10.3 and §10.4). A
// record is an LMDB directory of its own with a journal, format "soma-votes 2". Beside the tables
// lie a witness (storage/votes/rollback_guard.hpp) and a file that holds room in reserve.
//   table         key                          value
//   votes         view (u64 BE) | kind (u8)    block id
//   proposed      view (u64 BE)                block id
//   certificates  view (u64 BE) | kind (u8)    canonical Certificate
//   blocks        block id                     canonical Block
//   head          "head"                       the head, whose fields are, in little endian:
//     sequence u64 | flags u8 | chain 32 | key 32 | fence u64 | epoch u64 | content 32 |
//     H("soma.votes", previous head) 32
// The content is the sum modulo 2^256, over all rows of the other tables, of
//   H("soma.votes", table's first letter | key length u8 | key | value)
// What must hold:
//   - A write is durable, as a whole, when it returns. A write that throws has changed nothing that
//     matters: its batch may be written again.
//   - Opening gives the record as the last write that returned left it, or with the write that a
//     crash cut off just after it, or says that it can't. A record is damaged if rows are lost or
//     altered, if it is older than the witness, or if it belongs to another key or chain. (If the
//     whole directory was set back to an earlier copy of itself, this store does not notice.)
//   - One process at a time has it open.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "messages/values/votes.hpp"
#include "storage/lmdb/failure.hpp"

namespace soma::votes {

struct voting_record_options {
  std::size_t map_bytes = std::size_t{1} << 30;
  std::size_t reserve_bytes = std::size_t{64} << 20;  // 0: no reserve
  // If false, writes survive a kill but not a power cut; only for simulated networks.
  bool sync = true;
};

enum class votes_state : std::uint8_t {
  fresh,    // created with its key; nothing was ever written to it
  intact,   // as the last write left it
  missing,  // there is no record, or a replacement that has no fence yet
  damaged,  // `why` gives the reason
};

class voting_record_store {
 public:
  /// Creates the record of a key that has never voted. There must be nothing at `directory`, or an
  /// empty folder. Throws lmdb::failure.
  static void create(const std::filesystem::path& directory, const chain_id& chain,
                     const public_key& key, const voting_record_options& options = {});
  /// Replaces a key's record that is missing or damaged: moves what is there to
  /// "<directory>.lost-<n>" and creates a record that opens as `missing` until a batch with a fence
  /// is written. Throws lmdb::failure.
  static void replace(const std::filesystem::path& directory, const chain_id& chain,
                      const public_key& key, const voting_record_options& options = {});

  struct opened {
    votes_state state{};
    std::string why;  // describes the damage to a person
    voting_record record;
    std::unique_ptr<voting_record_store> store;  // null when there is no record to write to
  };
  /// Throws lmdb::failure when the machine fails or the record is open elsewhere.
  [[nodiscard]] static opened open(const std::filesystem::path& directory, const chain_id& chain,
                                   const public_key& key,
                                   const voting_record_options& options = {});

  ~voting_record_store();
  voting_record_store(const voting_record_store&) = delete;
  voting_record_store& operator=(const voting_record_store&) = delete;

  /// Durable when it returns. Throws lmdb::failure. After storage_full, resume() may help; after
  /// any other failure, only opening the record anew does.
  void write(const record_batch& batch);
  /// Allows writing again after room was made, and puts room in reserve again if there is enough.
  void resume();

  /// The number of writes since the record was created.
  [[nodiscard]] std::uint64_t sequence() const;

 private:
  struct inside;
  explicit voting_record_store(std::unique_ptr<inside> made);

  std::unique_ptr<inside> inside_;
};

}  // namespace soma::votes
