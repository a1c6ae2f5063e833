/*
 * The kinds of event in the log, with their class and version. Bodies are JSON objects without personal data; numbers,
 * names and URIs travel beside the body as `pii` texts (key, value). Times in bodies are ms UTC. Ids in bodies are strings.
 *
 *   in    input to a policy core            out   decision of a core
 *   cfg   configuration version applied     snap  state of the cores
 *   fact  what happened; folds make the records of facts and of outs
 *
 * X(enumerator, "name", class, version)
 */
#pragma once

#define EV_KINDS(X)                                                                                                    \
	/* {"version","pid"} a process began: first event of every epoch */                                           \
	X(EV_SYS_START, "sys.start", FACT, 1)                                                                         \
	X(EV_SYS_STOP, "sys.stop", FACT, 1)                                                                           \
	/* {"what":code,"object":id or "","name","detail":text,"on":bool} an alarm of a kind, about one thing, begins or ends */                                                                   \
	X(EV_SYS_ALARM, "sys.alarm", FACT, 1)                                                                         \
	/* {"deviation_ms"} the machine's clock was stepped by more than a second */                                  \
	X(EV_SYS_CLOCK, "sys.clock", FACT, 1)                                                                         \
	/* {"epoch","last_at"} records left open by a dead epoch were closed at last_at */                            \
	X(EV_SYS_RECOVER, "sys.recover", FACT, 1)                                                                     \
                                                                                                                       \
	/* the routing core's whole configuration (acd codec) */                                                      \
	X(EV_ACD_CONF, "acd.conf", CFG, 1)                                                                            \
	/* the routing core's whole state (acd codec), at start and at midnight */                                    \
	X(EV_ACD_SNAP, "acd.snap", SNAP, 1)                                                                           \
	/* inputs of the routing core: body by the acd codec, {"k":kind,...} */                                       \
	X(EV_ACD_IN, "acd.in", IN, 1)                                                                                 \
	/* {"t","state","prev","reason","team","call","until"} agent entered a state */                               \
	X(EV_AGENT_STATE, "agent.state", OUT, 1)                                                                      \
	/* {"t","offer","ring_ms","why":{...}} a call is offered to an agent */                                       \
	X(EV_OFFER_NEW, "offer.new", OUT, 1)                                                                          \
	/* {"t","offer","outcome":answered|timeout|refused|failed|withdrawn|abandoned,"code"} */                      \
	X(EV_OFFER_END, "offer.end", OUT, 1)                                                                          \
	/* {"t","to":queue|number|goodbye,"target","why":length|wait|empty|closed} the call leaves this queue */      \
	X(EV_QUEUE_OVERFLOW, "queue.overflow", OUT, 1)                                                                \
	/* {"t","position","waiting"} tell the caller his place */                                                    \
	X(EV_QUEUE_ANNOUNCE, "queue.announce", OUT, 1)                                                                \
                                                                                                                       \
	/* {"dir":in|out|internal|test,"trunk","number","parent"} pii: from, to, name. call_id is new */                   \
	X(EV_CALL_NEW, "call.new", FACT, 1)                                                                           \
	/* {} an agent answered: agent_id, queue_id. The call counts as answered from the first of these */            \
	X(EV_CALL_ANSWER, "call.answer", FACT, 1)                                                                     \
	/* {} the queue's own 200 went out: the caller is connected, but waits */                                     \
	X(EV_CALL_ACCEPT, "call.accept", FACT, 1)                                                                     \
	/* {"by":customer|agent|system|line,"cause","q850","reason"} the customer is gone. Closes the open segment */ \
	X(EV_CALL_END, "call.end", FACT, 1)                                                                           \
                                                                                                                       \
	/* {"role":customer|agent|third,"dir":in|out,"device","trunk","transport"} pii: local, remote */              \
	X(EV_LEG_NEW, "leg.new", FACT, 1)                                                                             \
	/* {"code"} first provisional above 100 */                                                                    \
	X(EV_LEG_RING, "leg.ring", FACT, 1)                                                                           \
	/* {} 200 with media; pii: dialog (enough to send BYE from another process; dropped at leg.end by the fold) */ \
	X(EV_LEG_ANSWER, "leg.answer", FACT, 1)                                                                       \
	/* {"trunk","by":remote|local|timeout|lost,"code","q850","reason","quality":{"rx","lost","jitter_ms","rtt_ms","mos"}} */ \
	X(EV_LEG_END, "leg.end", FACT, 1)                                                                             \
                                                                                                                       \
	/* {"seg","type":ivr|queue|ring|talk|hold|conference|voicemail,"why"} ends the call's open segment at the same \
	   instant. agent_id on talk and hold, queue_id where one is concerned */                                     \
	X(EV_SEG_OPEN, "seg.open", FACT, 1)                                                                           \
                                                                                                                       \
	/* {"part","seg","path"} */                                                                                   \
	X(EV_REC_OPEN, "rec.open", FACT, 1)                                                                           \
	/* {"part","bytes","dur_ms","missing_ms","hash","repaired","left_ms","right_ms","over_ms","silence_ms","silence_at_ms"} who spoke  \
	   how long, at once, and the longest silence; none of a part that was repaired after a crash */               \
	X(EV_REC_CLOSE, "rec.close", FACT, 1)                                                                         \
	/* {"part","error"} the disk refused; the call goes on */                                                     \
	X(EV_REC_FAIL, "rec.fail", FACT, 1)                                                                                    \
	/* {"why","class","by":trunk|person,"trunk","rights","via":desk|device|transfer|forward|overflow|test} the toll guard      \
	   refused a call out. agent_id: who dialled; pii: to */                                                      \
	X(EV_DIAL_REFUSED, "dial.refused", FACT, 1)                                                                           \
                                                                                                                       \
	/* {"trunk","state":unknown|up|degraded|down|gone,"why":""|name|registering|register_refused|register_silent|silent|busy| \
	   resting,"code","reason","registration":off|trying|registered|refused|unreachable,"addresses":[],"rtt_ms"} */ \
	X(EV_TRUNK_STATE, "trunk.state", FACT, 1)                                                                                \
	/* {"trouble":none|no_packets|unreachable|wrong_source|bad_keys|wrong_codec|only_silence,"role","trunk"} a side is not      \
	   heard, and the likely cause; none: it is heard after all */                                                            \
	X(EV_LEG_AUDIO, "leg.audio", FACT, 1)                                                                                         \
	/* {"t_ms","code","early","trunk","address","q850","reason","by"} a test call was sent (code 0), or the carrier said something. pii: \
	   sent (the INVITE's first line and who we say we are) */                                                    \
	X(EV_TEST_STEP, "test.step", FACT, 1) \
	/* {"device"} the agent's calls ring there from now on: a telephone's name, or "w" and his id for his browser */        \
	X(EV_AGENT_DEVICE, "agent.device", FACT, 1)                                                                    \
	/* {"device","up":bool} a configured telephone registered, or is gone. agent_id: whose it is */                         \
	X(EV_DEVICE_STATE, "device.state", FACT, 1) \
	/* {"source","user":"" for the whole source,"reason","count","step","since_ms","until_ms","on"} SIP does not listen to it until then; \
	   on false: lifted */ \
	X(EV_SIP_BAN, "sip.ban", FACT, 1) \
	/* {"t","to":wait|team|queue,"why","team","first_ms","until"} a known caller is held back for his owner (agent_id), or is no longer: \
	   acd/owner.c */ \
	X(EV_QUEUE_OWNER, "queue.owner", OUT, 1) \
	/* {"customer","by":user, when a person said so} whose call it is, or was: it may have ended long ago */ \
	X(EV_CALL_CUSTOMER, "call.customer", FACT, 1) \
	/* {what acd/turn.h says,"team","call","customer","by"} a team's turn gave somebody (agent_id) a new customer */ \
	X(EV_TURN_DRAW, "turn.draw", FACT, 1) \
	/* {"draw","last","owed","team","agent"} that could not be done: he is owed the turn */ \
	X(EV_TURN_BACK, "turn.back", FACT, 1) \
	/* {"what":granted|waits|turn|lapsed|cancelled|gone,"why","team","reason","place","until","away","max","queue","keep","ready"} who wants a break \
	   may go or waits for a slot (acd/rest.h). agent_id; queue_id: the one that is short */ \
	X(EV_REST, "rest", FACT, 1) \
	/* {"t","ms","why":{...}} an agent is kept for a call that is dialled next. call_id: that call's, to be */ \
	X(EV_RESERVE_NEW, "reserve.new", OUT, 1) \
	/* {"mode","running","why":code,"n","at","agents","members","ready","idle","reserved","talking","wrapup","ringing","waiting","held","limit","answered", \
	   "abandoned"...} what a campaign does, and the one thing that keeps customers from its agents: see sw_state.c. campaign_id. When it has \
	   changed, once a second at most */ \
	X(EV_CAMPAIGN_STATE, "campaign.state", FACT, 1) \
	/* {what the campaign's pacing has learned (dialer codec)} campaign_id. Every few minutes while it learns, and at the end */ \
	X(EV_CAMPAIGN_PACE, "campaign.pace", FACT, 1) \
	/* {"claim","agent"} a customer calls whom a campaign (campaign_id) has dialled within the days that count; agent: who dialled, or "" */ \
	X(EV_CALL_RINGBACK, "call.ringback", FACT, 1) \
	/* {"claim","lead","customer","nth","until"} the agent sees whom he will speak to: dialled then, or when he says so. call_id: that call's, to \
	   be; agent_id, campaign_id; pii: to */ \
	X(EV_PREVIEW_NEW, "preview.new", FACT, 1) \
	/* {"claim","lead","customer","mode":preview|progressive|predictive,"nth","why":{numbers that the dial was decided by}} a claim is dialled: \
	   call_id, campaign_id; agent_id when one is kept for it */ \
	X(EV_ATTEMPT_NEW, "attempt.new", FACT, 1) \
	/* {"claim","lead","customer","result":answered|noanswer|busy|rejected|empty|suspended|off|unreachable|assistant|failed|abandoned|returned| \
	   unknown,"why","code","q850","heard","rang_at","answered_at","connected_at","abandoned":bool} what became of a claim, once; returned: it \
	   was not dialled, or does not count, and "why" says why. agent_id: who was kept for it or talked */ \
	X(EV_ATTEMPT_END, "attempt.end", FACT, 1) \
	/* {"stage":early|answered,"kind","class","confidence","sample","offset_ms","at_ms","trunk","file","kept_ms","bytes"} what was heard before the \
	   answer, or a machine after it (hear/hear.h), once a leg and stage; kind taught: a known announcement. file: below <data>/heard */ \
	X(EV_LEG_HEARD, "leg.heard", FACT, 1) \
	/* {"party","how":listen|whisper|join,"whom":user,"told":bool} somebody (agent_id; 0: from outside) hears a call from now on, on leg_id; whom: \
	   the agent in it */ \
	X(EV_PARTY_NEW, "party.new", FACT, 1) \
	/* {"party","how","why"} and no longer, or in another way */ \
	X(EV_PARTY_END, "party.end", FACT, 1) \
	/* {"what":begin|answered|swap|joined|done|back|failed|left,"how":blind|consult,"by":user,"user":id or absent,"queue":id,"code"} a call goes from one to
	   another. pii: why (what who sends it says), to (a number). agent_id: who has it */ \
	X(EV_CALL_MOVE, "call.move", FACT, 1)
