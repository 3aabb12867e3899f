// A member of the committee that lies about blobs: it says that it has every blob that the ledger
// names, and then gives garbage or nothing. It has the key of a validator and speaks the mesh; it
// does not vote.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "actors/mesh/mesh.hpp"
#include "messages/values/votes.hpp"
#include "tests/functional/validator_network.hpp"

namespace soma::support {

class availability_liar {
 public:
  /// The size of a blob that the ledger names; nullopt for any other one. Called on the mesh's
  /// thread.
  using size_of_blob = std::function<std::optional<std::uint64_t>(const blob_id&)>;

  /// Takes the place of this validator, which must not run.
  availability_liar(const validator_network& net, std::size_t validator, size_of_blob size_of);
  ~availability_liar();

  struct counts {
    std::atomic<unsigned> said{0};     // blobs that it said to have
    std::atomic<unsigned> silent{0};   // questions that it left without an answer
    std::atomic<unsigned> empty{0};    // answers without the bytes
    std::atomic<unsigned> garbage{0};  // answers with other bytes
  };
  [[nodiscard]] const counts& lies() const { return lies_; }

 private:
  void heard(mesh::peer_number from, std::uint16_t type, const bytes& payload);
  void answer(mesh::peer_number to, const peer_message& message);
  void give(mesh::peer_number to, const peer::blob_part& wanted);

  size_of_blob size_of_;
  counts lies_;
  unsigned asked_ = 0;
  std::mutex ready_;  // held until links_ is set
  std::unique_ptr<mesh::mesh> links_;
};

}  // namespace soma::support
