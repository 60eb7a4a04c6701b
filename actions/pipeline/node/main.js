require("../../run.js")("pipeline");
