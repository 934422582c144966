// Every configuration in conf/ is accepted as it stands, those inside YAML included.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "server/config/load.h"

namespace cistern::server {
namespace {

const std::filesystem::path kConf = std::filesystem::path(CISTERN_SOURCE_DIR) / "conf";

TEST(ConfFilesTest, EveryTomlFileIsAccepted) {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kConf)) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    const auto loaded = LoadConfig(entry.path().string());
    EXPECT_TRUE(loaded) << FormatErrors(loaded.error());
  }
  EXPECT_GE(files, 6);
}

TEST(ConfFilesTest, TheDemosNodesAgree) {
  const auto a = LoadConfig((kConf / "demo/a.toml").string());
  const auto b = LoadConfig((kConf / "demo/b.toml").string());
  const auto c = LoadConfig((kConf / "demo/c.toml").string());
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(a->cluster.nodes, b->cluster.nodes);
  EXPECT_EQ(a->cluster.nodes, c->cluster.nodes);
  EXPECT_EQ(a->groups, b->groups);
  EXPECT_EQ(a->groups, c->groups);
}

// The block scalars ("name: |") of a YAML file, without their indentation. A host name stands
// for the one that the platform would give.
std::string TomlIn(const std::filesystem::path& yaml, std::string_view host_name) {
  std::ifstream file(yaml);
  std::string toml;
  size_t indent = 0;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.find(": |") != std::string::npos) {
      inside = true;
      indent = line.find_first_not_of(' ') + 2;
    } else if (inside && !line.empty() && line.find_first_not_of(' ') < indent) {
      inside = false;
    } else if (inside) {
      toml += line.substr(std::min(indent, line.size())) + "\n";
    }
  }
  return "node.name = \"" + std::string(host_name) + "\"\n" + toml;
}

TEST(ConfFilesTest, TheConfigurationInsideKubernetesIsAccepted) {
  for (const char* host : {"cistern-0", "cistern-1", "cistern-2"}) {
    const std::string toml = TomlIn(kConf / "kubernetes.yaml", host);
    ASSERT_NE(toml.find("[[group]]"), std::string::npos);
    const auto loaded = ParseConfig(toml, "kubernetes.yaml");
    EXPECT_TRUE(loaded) << FormatErrors(loaded.error());
  }
}

TEST(ConfFilesTest, TheConfigurationInsideComposeIsAccepted) {
  const std::string toml = TomlIn(kConf / "compose.yaml", "b");
  ASSERT_NE(toml.find("[[group]]"), std::string::npos);
  const auto loaded = ParseConfig(toml, "compose.yaml");
  EXPECT_TRUE(loaded) << FormatErrors(loaded.error());
}

}  // namespace
}  // namespace cistern::server
