#include "deploy/soma/source/localnet_home.hpp"

#include <fstream>

#include "deploy/soma/shell/config.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {

namespace fs = std::filesystem;

expected<fs::path, failure> fresh_localnet(const fs::path& home) {
  const auto directory = home / "localnet";
  const auto previous = home / "localnet.previous";
  std::error_code error;
  fs::create_directories(home, error);
  if (!error && fs::exists(directory)) {
    // A folder that no local network made is neither moved nor removed. The sign of a local network
    // is the folder `data`, which it makes first.
    if (!fs::exists(directory / "data") && !fs::is_empty(directory)) {
      return failed("will not replace " + directory.string(),
                    "it holds something other than a local network", "choose another --home");
    }
    fs::remove_all(previous, error);
    if (!error) fs::rename(directory, previous, error);
  }
  if (!error) fs::create_directories(directory, error);
  if (error)
    return failed("cannot make " + directory.string(), error.message(), "choose another --home");
  return directory;
}

outcome write_localnet_index(const fs::path& directory, const localnet::localnet_report& report,
                             const model_architecture& arch) {
  json::object names;
  for (const auto& model : report.models) names.emplace_back(model.id.text(), model.name);
  const auto document = json::of({{"seed", report.seed},
                                  {"architecture", weights::to_text(arch)},
                                  {"state_root", report.state_root.text()},
                                  {"models", json(std::move(names))}});
  std::ofstream file(directory / "index.toml", std::ios::trunc);
  file << to_toml(document);
  file.close();
  if (!file)
    return failed("cannot write " + (directory / "index.toml").string(),
                  "writing to the disk failed");
  return {};
}

std::map<model_id, std::string> model_names(const fs::path& directory) {
  std::map<model_id, std::string> names;
  const auto document = read_config(directory / "index.toml");
  if (!document) return names;
  const auto* models = document->find("models");
  if (models == nullptr || models->as_object() == nullptr) return names;
  for (const auto& [id, name] : *models->as_object()) {
    if (const auto model = model_id::parse(id); model && name.as_string() != nullptr) {
      names[*model] = *name.as_string();
    }
  }
  return names;
}

}  // namespace soma::cli
