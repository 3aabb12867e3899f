// Private to actors/blob_keeper: what the role does, on the role's own thread.
#pragma once

#include <map>
#include <set>

#include "actors/blob_exchange/holder_survey.hpp"
#include "actors/blob_keeper/blob_keeper.hpp"
#include "actors/blob_keeper/disk_shelf.hpp"
#include "actors/blob_keeper/named_blobs.hpp"

namespace soma::blob_keeper {

class keeper : public std::enable_shared_from_this<keeper> {
 public:
  keeper(blob_keeper_actor::pointer self, blob_keeper_ports ports, blob_keeper_options options);

  void start();
  [[nodiscard]] caf::typed_response_promise<message<schema::FetchedBlobs>> fetch(
      schema::FetchBlobs::Reader wanted);
  [[nodiscard]] caf::typed_response_promise<message<schema::Holders>> ask_holders(
      schema::GetHolders::Reader asked);
  void take(schema::FromPeer::Reader from);
  void block_done(schema::BlockNotice::Reader notice);

 private:
  /// A request that is not answered yet.
  struct waiter {
    caf::typed_response_promise<message<schema::FetchedBlobs>> answer;
    std::map<blob_id, std::uint64_t> missing;  // and the size that the request names; 0: any
    std::vector<blob_id> other_size;
    std::set<blob_id> not_kept;  // of the missing ones those that the own disk has refused
    std::uint64_t within_ms = 0;
    std::optional<std::uint64_t> until_ms;  // nullopt before the role knows the time
    bool is_answered = false;
  };

  /// A question to the members that is not answered yet.
  struct open_survey {
    caf::typed_response_promise<message<schema::Holders>> answer;
    blob_exchange::holder_survey asked;
    bool is_here = false;  // this home is a member and has the blob itself
    std::uint64_t within_ms = 0;
    std::optional<std::uint64_t> until_ms;  // nullopt before the role knows the time
  };

  [[nodiscard]] std::vector<std::uint64_t> named_sizes(const blob_id& blob,
                                                       std::uint64_t given) const;
  void tick();
  void woken(std::uint64_t now_ms);
  void look_after_blobs();
  void end_waiters();
  void answer(waiter& done);
  void let_go(const blob_id& blob);
  void hear_holder(std::uint32_t peer, const peer::have& said);
  void end_surveys();
  void read_ledger();
  void read_members();
  void place();
  void place(const named_blob& what, bool is_for_all);
  void place_all_of(const blob_id& blob);
  [[nodiscard]] bool is_needed(const blob_id& blob) const;
  [[nodiscard]] bool should_have(const blob_id& blob) const;
  [[nodiscard]] bool should_have(const named_blob& what, bool is_for_all) const;
  void take_sent(std::uint32_t peer, schema::FromPeer::Sent::Reader sent);
  void step(const blob_exchange::fetcher::event& next);
  void took(const blob_exchange::fetcher::done& done);
  void send(const std::vector<std::uint32_t>& to, const peer_message& what);
  void blame(std::uint32_t peer, const std::string& why);
  void tell(const std::string& line) const;

  blob_keeper_actor::pointer self_;
  blob_keeper_ports ports_;
  blob_keeper_options options_;
  std::uint64_t most_blob_bytes_ = 0;  // that weights or data may have on this network
  disk_shelf shelf_;
  blob_exchange::fetcher fetcher_;
  blob_exchange::server server_;
  caretaker care_;
  std::map<std::uint32_t, public_key> peers_;  // those that are connected
  std::vector<public_key> members_;
  bool is_member_ = false;
  named_blobs named_;
  std::vector<waiter> waiters_;
  std::map<blob_id, unsigned> awaited_;  // in so many waiters
  std::vector<open_survey> surveys_;
  std::optional<std::uint64_t>
      now_ms_;               // of a clock that never jumps; nullopt before the first look
  bool is_waiting_ = false;  // for the clock
};

}  // namespace soma::blob_keeper
