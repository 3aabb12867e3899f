#include "tests/functional/operators/availability_liar.hpp"

#include <stdexcept>

#include "messages/codec/codec_consensus.hpp"
#include "messages/crypto/key_file.hpp"
#include "messages/crypto/merkle.hpp"

namespace soma::support {
namespace {

/// Garbage ends the connection for a minute. Silence and empty answers come first, so that they
/// are met, too.
constexpr unsigned answers_before_garbage = 12;

crypto::key_pair key_of(const validator_network& net, std::size_t validator) {
  auto key = crypto::load_key(net.home(validator) / "validator.key", std::nullopt);
  if (!key) throw std::runtime_error("the validator has no key");
  return std::move(*key);
}

}  // namespace

availability_liar::availability_liar(const validator_network& net, std::size_t validator,
                                     size_of_blob size_of)
    : size_of_(std::move(size_of)) {
  mesh::mesh_options options;
  options.listen = net.mesh(validator);
  options.frame_limit = [](std::uint16_t type, bool) { return max_frame_bytes(type); };
  for (const auto& one : net.genesis().validators) options.members.push_back(one.consensus_key);
  for (std::size_t i = 0; i < options.members.size(); ++i) {
    if (i != validator) options.peers.push_back({key_of(net, i).public_half(), net.mesh(i)});
  }
  mesh::mesh_callbacks callbacks;
  callbacks.on_connected = [](mesh::peer_number, const public_key&) {};
  callbacks.on_gone = [](mesh::peer_number, mesh::link_end) {};
  callbacks.on_frame = [this](mesh::peer_number from, std::uint16_t type, const bytes& payload) {
    heard(from, type, payload);
  };
  const std::lock_guard lock(ready_);
  links_ = std::make_unique<mesh::mesh>(key_of(net, validator), std::move(options),
                                        std::move(callbacks));
}

availability_liar::~availability_liar() = default;

void availability_liar::answer(mesh::peer_number to, const peer_message& message) {
  links_->send({to}, frame_type_of(message), encode(message));
}

void availability_liar::give(mesh::peer_number to, const peer::blob_part& wanted) {
  const auto number = asked_++;
  if (number < answers_before_garbage && number % 2 == 0) return void(++lies_.silent);
  peer::part out;
  out.answered = wanted;
  const auto size = size_of_(wanted.blob);
  if (number < answers_before_garbage || !size) {
    ++lies_.empty;
  } else {
    ++lies_.garbage;
    out.data.assign(wanted.of_list ? 32 * crypto::chunk_count(*size) : *size, 0x5a);
  }
  answer(to, out);
}

void availability_liar::heard(mesh::peer_number from, std::uint16_t type, const bytes& payload) {
  const std::lock_guard lock(ready_);
  links_->consumed(from, payload.size());
  const auto message = decode_frame(type, payload);
  if (!message) return;
  if (const auto* sought = std::get_if<peer::seek>(&*message)) {
    peer::have out;
    for (const auto& blob : sought->blobs) {
      if (const auto size = size_of_(blob)) out.blobs.push_back({blob, *size});
    }
    lies_.said += static_cast<unsigned>(out.blobs.size());
    if (!out.blobs.empty()) answer(from, out);
  } else if (const auto* asked = std::get_if<peer::get>(&*message)) {
    give(from, asked->wanted);
  }
}

}  // namespace soma::support
