#include "actors/validator/snapshot_keeper.hpp"

#include <exception>

namespace soma::validator {
namespace {

/// The folder if snapshots can be kept in it, else an empty path.
std::filesystem::path usable(const std::filesystem::path& folder, validator_parts& parts) {
  if (folder.empty()) return folder;
  try {
    const state_sync::snapshot_folder opened(folder, true);
    return folder;
  } catch (const std::exception& failure) {
    parts.notify_operator("no snapshots of the ledger for others: " + std::string(failure.what()));
    return {};
  }
}

}  // namespace

snapshot_keeper::snapshot_keeper(validator_actor::pointer self, validator_parts& parts,
                                 const validator_ports& ports)
    : self_(self),
      parts_(parts),
      ledger_(ports.ledger),
      folder_(ports.snapshot_writer ? usable(ports.snapshots, parts) : std::filesystem::path()),
      writer_(ports.snapshot_writer),
      server_(*ledger_, folder_) {}

void snapshot_keeper::failed(const std::string& why) {
  parts_.notify_operator("the snapshot of the ledger for others could not be written: " + why);
}

void snapshot_keeper::epoch_begins(const state_tree::tree& tree, std::uint64_t now_ms) {
  if (is_writing_ || !server_.wants_snapshot(now_ms)) return;
  is_writing_ = true;
  // The view shows the ledger of this moment, whatever is committed while the writer reads. It is
  // closed as soon as the writer is done, because an open view keeps old pages from being reused.
  const auto view = std::make_shared<std::unique_ptr<tables::ledger_view>>(
      new tables::ledger_view(ledger_->view()));
  auto work = [view, keep = ledger_, copy = tree, folder = folder_] {
    const auto mine = std::move(*view);
    state_sync::snapshot_folder(folder).write(*mine, copy);
  };
  self_->request(writer_, caf::infinite, background::make_job(std::move(work)))
      .then(
          [weak = weak_from_this(), now_ms](const message<schema::Ack>&) {
            const auto me = weak.lock();
            if (!me) return;
            me->is_writing_ = false;
            try {
              me->server_.snapshot_made(now_ms);
            } catch (const std::exception& failure) {
              me->failed(failure.what());
            }
          },
          [weak = weak_from_this()](const caf::error& failure) {
            const auto me = weak.lock();
            if (!me) return;
            me->is_writing_ = false;
            me->failed(to_string(failure));
          });
}

std::optional<peer_message> snapshot_keeper::answer(std::uint32_t peer,
                                                    const peer::ask_state& asked,
                                                    std::uint64_t now_ms) {
  auto part = server_.answer(peer, asked, now_ms);
  if (!part) return std::nullopt;
  return std::move(*part);
}

}  // namespace soma::validator
