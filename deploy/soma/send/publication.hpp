// What a publication must not lose. A model's stake is slashed unless its key, salt and embedding
// are revealed in the epoch after its commitment. So all of these and the signed commitment itself
// are stored in one file of the home, mode 0600. The file is on the disk before the commitment is
// sent. If the command is killed at any moment, the same command given again finds out how far the
// publication has come on the chain and continues. What must hold: a key and IV encrypt one content
// only, and a file holds one commitment only.
#pragma once

#include <filesystem>
#include <optional>

#include "deploy/soma/shell/failure.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/source/folder_lock.hpp"
#include "messages/crypto/random.hpp"
#include "messages/values/transactions.hpp"

namespace soma::cli {

struct publication {
  chain_id chain;
  address owner;
  std::optional<model_id> update_of;  // the model that gets a new version; absent for a new model
  weights_hash weights;
  hash256 salt;
  cipher_key key{};
  cipher_iv iv{};
  std::vector<float> embedding;
  shannons stake;
  std::uint32_t commission_bps = 0;
  /// The signed commitment, once there is one; the next two fields belong to it.
  std::optional<signed_transaction> commit;
  epoch_number commit_expiry;
  std::uint64_t commit_nonce = 0;
  bool published = false;  // true once the model is revealed

  /// The content of the commitment. `root` is the id of the blob with the encrypted weights, which
  /// is not stored here, since it follows from them.
  [[nodiscard]] tx::commit_model commitment(std::uint64_t size_bytes, const blob_id& root) const;
  /// The content of the transaction that reveals the model.
  [[nodiscard]] tx::reveal_model reveal(const model_id& model) const;
  /// Encrypts a plain weights file, or decrypts an encrypted one; both are the same operation.
  void cipher(bytes& file) const;
};

/// A publication with a fresh key, IV and salt.
[[nodiscard]] publication new_publication(crypto::random_source& random);

/// The file of one publication. Only one process at a time can hold it.
class publication_file {
 public:
  /// Opens the file, whose name comes from chain, owner, weights and model. Refuses while another
  /// process holds it.
  [[nodiscard]] static expected<publication_file, failure> open(
      const std::filesystem::path& home, const chain_id& chain, const address& owner,
      const weights_hash& weights, const std::optional<model_id>& update_of);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Reads what an earlier run wrote; nullopt if there was none.
  [[nodiscard]] expected<std::optional<publication>, failure> read() const;
  /// Writes the file. Its content is on the disk when it returns.
  [[nodiscard]] outcome write(const publication& content) const;
  /// Appends `suffix` to the name of the file, so that the next run begins anew.
  [[nodiscard]] outcome put_aside(const std::string& suffix) const;

 private:
  publication_file(std::filesystem::path path, folder_lock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  folder_lock lock_;
};

}  // namespace soma::cli
