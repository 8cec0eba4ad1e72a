-- many: a verb for many calls about one customer, in their order, in one script; what a script costs in itself is paid once. Each of
-- `calls` has the verb's arguments. Each is told what it would be told alone, and what it does is there for the next one; one that
-- fails is no concern of the others.
-- keys: none (with orders sessions reservations devices seats queue hand_on)

local each_call

do  -- a script has room for 200 names

-- What one call has noted for itself while it was planned and carried out.
local function forget()
  promised, promised_number, displaced, ousted, short_of = {}, {}, {}, {}, {}
  line, queue_moved, freed = nil, false, false
end

function each_call(one)
  local common, answer_all, wake_all, told = args, answer, wake, {}
  local both = {__index = common}
  wake = function() end  -- nodes are woken once
  answer = function(word, body)
    return {word, body or {}}
  end
  for i, call in ipairs(common.calls) do
    args = setmetatable(call, both)
    forget()
    local well, outcome = pcall(one)
    told[i] = well and outcome or {'failed', {error = type(outcome) == 'table' and outcome.err or tostring(outcome)}}
  end
  args, answer, wake = common, answer_all, wake_all
  wake()
  local word = 'many'  -- never told on: the headers name what each call may be told
  return answer(word, {told = told})
end

end
