#include "actors/validator/snapshot_keeper.hpp"

#include <exception>

namespace soma::actors {
namespace {

/// Where snapshots can be, if they can be at all.
std::filesystem::path usable(const std::filesystem::path& folder,
                             const std::function<void(const std::string&)>& tell) {
  if (folder.empty()) return folder;
  try {
    const snapshot_folder opened(folder, true);
    return folder;
  } catch (const std::exception& failure) {
    tell("no snapshots of the ledger for others: " + std::string(failure.what()));
    return {};
  }
}

}  // namespace

snapshot_keeper::snapshot_keeper(validator_actor::pointer self, const validator_ports& ports,
                                 std::function<void(const std::string&)> tell)
    : self_(self),
      ledger_(ports.ledger),
      folder_(ports.snapshot_writer ? usable(ports.snapshots, tell) : std::filesystem::path()),
      writer_(ports.snapshot_writer),
      tell_(std::move(tell)),
      server_(*ledger_, folder_) {}

void snapshot_keeper::failed(const std::string& why) {
  tell_("the snapshot of the ledger for others could not be written: " + why);
}

void snapshot_keeper::epoch_begins(const rules::state_tree& tree, std::uint64_t now_ms) {
  if (is_writing_ || !server_.wants_snapshot(now_ms)) return;
  is_writing_ = true;
  // The view is of this very moment, whatever is committed while the writer reads it; it goes as
  // soon as the writer is done, for it keeps the pages of old from being used again.
  const auto view = std::make_shared<std::unique_ptr<storage::ledger_view>>(
      new storage::ledger_view(ledger_->view()));
  auto work = [view, keep = ledger_, copy = tree, folder = folder_] {
    const auto mine = std::move(*view);
    snapshot_folder(folder).write(*mine, copy);
  };
  self_->request(writer_, caf::infinite, make_job(std::move(work)))
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

}  // namespace soma::actors
