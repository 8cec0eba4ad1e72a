-- acquire: further products within a session, all or nothing. What it has already is not drawn again.
-- keys: meta nodes by_node deadlines orders tombs cooldowns licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer session fence need groups wait priority queue_limit ref
-- answers: granted {fence seats} | queued {session product ref position member ahead_ms} | denied {code product limit used waiting retry_after_ms holders} | gone {reason} | lapsed {}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount cooldowns licenses reservations devices seats queue hand_on many
local record = load(args.session)
if not record then
  return answer('gone', {reason = 'unknown'})
end
if record.fence ~= args.fence or record.state ~= 'attached' then
  return answer('gone', {reason = 'superseded'})
end
if lease_end(record.node) < now then
  return answer('lapsed')
end
if recovering then
  return answer('denied', recovering_denial())
end
local cooling_ms = cooling_for(record.user, record.device)
if cooling_ms > 0 then
  return answer('denied', refusal(args.session, record, args.need, {code = 'cooldown', retry_after_ms = cooling_ms}))
end
if args.wait then
  unqueue(record)  -- a session waits for one thing at a time
end
record.groups = #args.groups > 0 and args.groups or nil
local asked = {need = args.need, want = {}, priority = args.priority, ref = args.ref}
local chosen, denial = plan_behind(args.session, record, asked)
local waits = not chosen and denial.code == 'no_seat' and args.wait
local queued = waits and not queue_is_full(args.queue_limit)
if chosen then
  take(chosen, args.session, record)
  for _, seat in ipairs(chosen) do
    record.seats[#record.seats + 1] = seat
  end
elseif queued then
  asked.product = denial.product
  enqueue(args.session, record, asked)
end
save(args.session, record)
hand_on()
record = load(args.session)
if queued and record.waiting then
  return answer('queued', places(args.session)[1])
elseif chosen or queued then
  return answer('granted', {fence = record.fence, seats = shown(record.seats)})
end
denial.code, denial.waiting = waits and 'queue_full' or denial.code, waiting_now()
denial.holders = denial.code == 'no_seat' and own_sessions(record.user) or {}
return answer('denied', refusal(args.session, record, args.need, denial, short_of[denial.product]))
