"""The forms of tool calls that verl reads; known without verl, so that a plan can refuse others."""

# What each call begins with, by verl's name of the parser (`ToolParser`, v0.9.1).
OPENINGS = {
    "hermes": "<tool_call>",
    "qwen3_coder": "<tool_call>",
    "glm": "<tool_call>",
    "seed": "<function=",
    "minimax": "<invoke name=",
    "kimi": "<|tool_call_begin|>",
    "deepseek_v4": "<\uff5cDSML\uff5cinvoke",
    "gemma4": "<|tool_call>",
    "gpt-oss": " to=functions.",
}
