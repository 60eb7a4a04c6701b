require("../../run.js")("cache", "save");
