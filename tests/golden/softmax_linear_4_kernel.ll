define  void @loops_ab929bc68a53775d(ptr %table, ptr %params, i64 %begin, i64 %end, ptr %scratch) nounwind {
entry:
  %slot5 = alloca i64
  %slot8 = alloca <8 x float>
  %slot9 = alloca <8 x float>
  %slot10 = alloca <8 x float>
  %slot11 = alloca <8 x float>
  %slot12 = alloca <8 x i1>
  %slot22 = alloca i64
  %slot94 = alloca i64
  %slot143 = alloca <8 x float>
  %slot144 = alloca <8 x float>
  %slot145 = alloca <8 x float>
  %slot146 = alloca <8 x float>
  %slot154 = alloca i64
  %slot328 = alloca i64
  %slot404 = alloca i64
  %slot450 = alloca i64
  %v13 = getelementptr inbounds i64, ptr %params, i64 0
  %v14 = load i64, ptr %v13, align 8
  %v28 = getelementptr inbounds i64, ptr %params, i64 1
  %v29 = load i64, ptr %v28, align 8
  %v30 = getelementptr inbounds i64, ptr %table, i64 %v29
  %v31 = load ptr, ptr %v30, align 8
  %v32 = getelementptr inbounds i64, ptr %params, i64 2
  %v33 = load i64, ptr %v32, align 8
  %v38 = getelementptr inbounds i64, ptr %params, i64 3
  %v39 = load i64, ptr %v38, align 8
  %v40 = getelementptr inbounds i64, ptr %table, i64 %v39
  %v41 = load ptr, ptr %v40, align 8
  %v415 = getelementptr inbounds i64, ptr %params, i64 4
  %v416 = load i64, ptr %v415, align 8
  %v417 = getelementptr inbounds i64, ptr %table, i64 %v416
  %v418 = load ptr, ptr %v417, align 8
  %v1 = getelementptr inbounds i8, ptr %scratch, i64 0
  store i64 %begin, ptr %slot5
  br label %loop2
loop2:
  %v6 = load i64, ptr %slot5
  %v7 = icmp slt i64 %v6, %end
  br i1 %v7, label %body3, label %done4
body3:
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot8
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot9
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot10
  store <8 x float> splat (float 0xFFF0000000000000), ptr %slot11
  store <8 x i1> splat (i1 false), ptr %slot12
  %v15 = sub i64 %v14, 0
  %v16 = urem i64 %v15, 32
  %v17 = sub i64 %v15, %v16
  %v18 = add i64 0, %v17
  store i64 0, ptr %slot22
  br label %loop19
loop19:
  %v23 = load i64, ptr %slot22
  %v24 = icmp slt i64 %v23, %v18
  br i1 %v24, label %body20, label %done21
body20:
  %v25 = add i64 %v23, 8
  %v26 = add i64 %v23, 16
  %v27 = add i64 %v23, 24
  %v34 = mul nsw i64 %v6, %v33
  %v35 = add nsw i64 %v23, %v34
  %v36 = getelementptr inbounds float, ptr %v31, i64 %v35
  %v37 = load <8 x float>, ptr %v36, align 4
  %v42 = getelementptr inbounds float, ptr %v41, i64 %v23
  %v43 = load <8 x float>, ptr %v42, align 4
  %v44 = fadd contract <8 x float> %v37, %v43
  %v45 = load <8 x i1>, ptr %slot12
  %v46 = fcmp uno <8 x float> %v44, %v44
  %v47 = or <8 x i1> %v45, %v46
  store <8 x i1> %v47, ptr %slot12
  %v48 = load <8 x float>, ptr %slot8
  %v49 = fcmp ogt <8 x float> %v48, %v44
  %v50 = select <8 x i1> %v49, <8 x float> %v48, <8 x float> %v44
  store <8 x float> %v50, ptr %slot8
  %v51 = mul nsw i64 %v6, %v33
  %v52 = add nsw i64 %v25, %v51
  %v53 = getelementptr inbounds float, ptr %v31, i64 %v52
  %v54 = load <8 x float>, ptr %v53, align 4
  %v55 = getelementptr inbounds float, ptr %v41, i64 %v25
  %v56 = load <8 x float>, ptr %v55, align 4
  %v57 = fadd contract <8 x float> %v54, %v56
  %v58 = load <8 x i1>, ptr %slot12
  %v59 = fcmp uno <8 x float> %v57, %v57
  %v60 = or <8 x i1> %v58, %v59
  store <8 x i1> %v60, ptr %slot12
  %v61 = load <8 x float>, ptr %slot9
  %v62 = fcmp ogt <8 x float> %v61, %v57
  %v63 = select <8 x i1> %v62, <8 x float> %v61, <8 x float> %v57
  store <8 x float> %v63, ptr %slot9
  %v64 = mul nsw i64 %v6, %v33
  %v65 = add nsw i64 %v26, %v64
  %v66 = getelementptr inbounds float, ptr %v31, i64 %v65
  %v67 = load <8 x float>, ptr %v66, align 4
  %v68 = getelementptr inbounds float, ptr %v41, i64 %v26
  %v69 = load <8 x float>, ptr %v68, align 4
  %v70 = fadd contract <8 x float> %v67, %v69
  %v71 = load <8 x i1>, ptr %slot12
  %v72 = fcmp uno <8 x float> %v70, %v70
  %v73 = or <8 x i1> %v71, %v72
  store <8 x i1> %v73, ptr %slot12
  %v74 = load <8 x float>, ptr %slot10
  %v75 = fcmp ogt <8 x float> %v74, %v70
  %v76 = select <8 x i1> %v75, <8 x float> %v74, <8 x float> %v70
  store <8 x float> %v76, ptr %slot10
  %v77 = mul nsw i64 %v6, %v33
  %v78 = add nsw i64 %v27, %v77
  %v79 = getelementptr inbounds float, ptr %v31, i64 %v78
  %v80 = load <8 x float>, ptr %v79, align 4
  %v81 = getelementptr inbounds float, ptr %v41, i64 %v27
  %v82 = load <8 x float>, ptr %v81, align 4
  %v83 = fadd contract <8 x float> %v80, %v82
  %v84 = load <8 x i1>, ptr %slot12
  %v85 = fcmp uno <8 x float> %v83, %v83
  %v86 = or <8 x i1> %v84, %v85
  store <8 x i1> %v86, ptr %slot12
  %v87 = load <8 x float>, ptr %slot11
  %v88 = fcmp ogt <8 x float> %v87, %v83
  %v89 = select <8 x i1> %v88, <8 x float> %v87, <8 x float> %v83
  store <8 x float> %v89, ptr %slot11
  %v90 = add nsw i64 %v23, 32
  store i64 %v90, ptr %slot22
  br label %loop19
done21:
  store i64 %v18, ptr %slot94
  br label %loop91
loop91:
  %v95 = load i64, ptr %slot94
  %v96 = icmp slt i64 %v95, %v14
  br i1 %v96, label %body92, label %done93
body92:
  %v97 = sub i64 %v14, %v95
  %v98 = trunc i64 %v97 to i32
  %v99 = insertelement <8 x i32> poison, i32 %v98, i64 0
  %v100 = shufflevector <8 x i32> %v99, <8 x i32> poison, <8 x i32> zeroinitializer
  %v101 = icmp slt <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>, %v100
  %v102 = mul nsw i64 %v6, %v33
  %v103 = add nsw i64 %v95, %v102
  %v104 = getelementptr inbounds float, ptr %v31, i64 %v103
  %v105 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v104, i32 4, <8 x i1> %v101, <8 x float> splat (float 0x0000000000000000))
  %v106 = getelementptr inbounds float, ptr %v41, i64 %v95
  %v107 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v106, i32 4, <8 x i1> %v101, <8 x float> splat (float 0x0000000000000000))
  %v108 = fadd contract <8 x float> %v105, %v107
  %v109 = select <8 x i1> %v101, <8 x float> %v108, <8 x float> splat (float 0xFFF0000000000000)
  %v110 = load <8 x i1>, ptr %slot12
  %v111 = fcmp uno <8 x float> %v109, %v109
  %v112 = or <8 x i1> %v110, %v111
  store <8 x i1> %v112, ptr %slot12
  %v113 = load <8 x float>, ptr %slot8
  %v114 = fcmp ogt <8 x float> %v113, %v109
  %v115 = select <8 x i1> %v114, <8 x float> %v113, <8 x float> %v109
  store <8 x float> %v115, ptr %slot8
  %v116 = add nsw i64 %v95, 8
  store i64 %v116, ptr %slot94
  br label %loop91
done93:
  %v117 = load <8 x float>, ptr %slot8
  %v118 = load <8 x float>, ptr %slot9
  %v119 = load <8 x float>, ptr %slot10
  %v120 = load <8 x float>, ptr %slot11
  %v121 = fcmp ogt <8 x float> %v117, %v118
  %v122 = select <8 x i1> %v121, <8 x float> %v117, <8 x float> %v118
  %v123 = fcmp ogt <8 x float> %v119, %v120
  %v124 = select <8 x i1> %v123, <8 x float> %v119, <8 x float> %v120
  %v125 = fcmp ogt <8 x float> %v122, %v124
  %v126 = select <8 x i1> %v125, <8 x float> %v122, <8 x float> %v124
  %v127 = load <8 x i1>, ptr %slot12
  %v128 = call i1 @llvm.vector.reduce.or.v8i1(<8 x i1> %v127)
  %v129 = select i1 %v128, <8 x float> splat (float 0x7FF8000000000000), <8 x float> %v126
  %v130 = shufflevector <8 x float> %v129, <8 x float> %v129, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %v131 = shufflevector <8 x float> %v129, <8 x float> %v129, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %v132 = fcmp ogt <4 x float> %v130, %v131
  %v133 = select <4 x i1> %v132, <4 x float> %v130, <4 x float> %v131
  %v134 = shufflevector <4 x float> %v133, <4 x float> %v133, <2 x i32> <i32 0, i32 1>
  %v135 = shufflevector <4 x float> %v133, <4 x float> %v133, <2 x i32> <i32 2, i32 3>
  %v136 = fcmp ogt <2 x float> %v134, %v135
  %v137 = select <2 x i1> %v136, <2 x float> %v134, <2 x float> %v135
  %v138 = shufflevector <2 x float> %v137, <2 x float> %v137, <1 x i32> <i32 0>
  %v139 = shufflevector <2 x float> %v137, <2 x float> %v137, <1 x i32> <i32 1>
  %v140 = fcmp ogt <1 x float> %v138, %v139
  %v141 = select <1 x i1> %v140, <1 x float> %v138, <1 x float> %v139
  %v142 = extractelement <1 x float> %v141, i64 0
  store <8 x float> splat (float 0x0000000000000000), ptr %slot143
  store <8 x float> splat (float 0x0000000000000000), ptr %slot144
  store <8 x float> splat (float 0x0000000000000000), ptr %slot145
  store <8 x float> splat (float 0x0000000000000000), ptr %slot146
  %v147 = sub i64 %v14, 0
  %v148 = urem i64 %v147, 32
  %v149 = sub i64 %v147, %v148
  %v150 = add i64 0, %v149
  store i64 0, ptr %slot154
  br label %loop151
loop151:
  %v155 = load i64, ptr %slot154
  %v156 = icmp slt i64 %v155, %v150
  br i1 %v156, label %body152, label %done153
body152:
  %v157 = add i64 %v155, 8
  %v158 = add i64 %v155, 16
  %v159 = add i64 %v155, 24
  %v160 = mul nsw i64 %v6, %v33
  %v161 = add nsw i64 %v155, %v160
  %v162 = getelementptr inbounds float, ptr %v31, i64 %v161
  %v163 = load <8 x float>, ptr %v162, align 4
  %v164 = getelementptr inbounds float, ptr %v41, i64 %v155
  %v165 = load <8 x float>, ptr %v164, align 4
  %v166 = fadd contract <8 x float> %v163, %v165
  %v167 = insertelement <8 x float> poison, float %v142, i64 0
  %v168 = shufflevector <8 x float> %v167, <8 x float> poison, <8 x i32> zeroinitializer
  %v169 = fsub contract <8 x float> %v166, %v168
  %v170 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v169
  %v171 = select <8 x i1> %v170, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v169
  %v172 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v171
  %v173 = select <8 x i1> %v172, <8 x float> splat (float 0x4056400000000000), <8 x float> %v171
  %v174 = fmul <8 x float> %v173, splat (float 0x3FF7154760000000)
  %v175 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v174)
  %v176 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v175, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v173)
  %v177 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v175, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v176)
  %v178 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v177, <8 x float> splat (float 0x3F81227760000000))
  %v179 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v178, <8 x float> %v177, <8 x float> splat (float 0x3FA5556740000000))
  %v180 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v179, <8 x float> %v177, <8 x float> splat (float 0x3FC5554B00000000))
  %v181 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v180, <8 x float> %v177, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v182 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v181, <8 x float> %v177, <8 x float> splat (float 0x3FF0000000000000))
  %v183 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v182, <8 x float> %v177, <8 x float> splat (float 0x3FF0000000000000))
  %v184 = fadd <8 x float> %v175, splat (float 0x4168000000000000)
  %v185 = bitcast <8 x float> %v184 to <8 x i32>
  %v186 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v187 = sub <8 x i32> %v185, %v186
  %v188 = ashr <8 x i32> %v187, splat (i32 1)
  %v189 = add <8 x i32> %v188, splat (i32 127)
  %v190 = shl <8 x i32> %v189, splat (i32 23)
  %v191 = bitcast <8 x i32> %v190 to <8 x float>
  %v192 = fmul <8 x float> %v183, %v191
  %v193 = sub <8 x i32> %v187, %v188
  %v194 = add <8 x i32> %v193, splat (i32 127)
  %v195 = shl <8 x i32> %v194, splat (i32 23)
  %v196 = bitcast <8 x i32> %v195 to <8 x float>
  %v197 = fmul <8 x float> %v192, %v196
  %v198 = getelementptr inbounds float, ptr %v1, i64 %v155
  store <8 x float> %v197, ptr %v198, align 4
  %v199 = load <8 x float>, ptr %slot143
  %v200 = fadd contract <8 x float> %v199, %v197
  store <8 x float> %v200, ptr %slot143
  %v201 = mul nsw i64 %v6, %v33
  %v202 = add nsw i64 %v157, %v201
  %v203 = getelementptr inbounds float, ptr %v31, i64 %v202
  %v204 = load <8 x float>, ptr %v203, align 4
  %v205 = getelementptr inbounds float, ptr %v41, i64 %v157
  %v206 = load <8 x float>, ptr %v205, align 4
  %v207 = fadd contract <8 x float> %v204, %v206
  %v208 = insertelement <8 x float> poison, float %v142, i64 0
  %v209 = shufflevector <8 x float> %v208, <8 x float> poison, <8 x i32> zeroinitializer
  %v210 = fsub contract <8 x float> %v207, %v209
  %v211 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v210
  %v212 = select <8 x i1> %v211, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v210
  %v213 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v212
  %v214 = select <8 x i1> %v213, <8 x float> splat (float 0x4056400000000000), <8 x float> %v212
  %v215 = fmul <8 x float> %v214, splat (float 0x3FF7154760000000)
  %v216 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v215)
  %v217 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v216, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v214)
  %v218 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v216, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v217)
  %v219 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v218, <8 x float> splat (float 0x3F81227760000000))
  %v220 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v219, <8 x float> %v218, <8 x float> splat (float 0x3FA5556740000000))
  %v221 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v220, <8 x float> %v218, <8 x float> splat (float 0x3FC5554B00000000))
  %v222 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v221, <8 x float> %v218, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v223 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v222, <8 x float> %v218, <8 x float> splat (float 0x3FF0000000000000))
  %v224 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v223, <8 x float> %v218, <8 x float> splat (float 0x3FF0000000000000))
  %v225 = fadd <8 x float> %v216, splat (float 0x4168000000000000)
  %v226 = bitcast <8 x float> %v225 to <8 x i32>
  %v227 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v228 = sub <8 x i32> %v226, %v227
  %v229 = ashr <8 x i32> %v228, splat (i32 1)
  %v230 = add <8 x i32> %v229, splat (i32 127)
  %v231 = shl <8 x i32> %v230, splat (i32 23)
  %v232 = bitcast <8 x i32> %v231 to <8 x float>
  %v233 = fmul <8 x float> %v224, %v232
  %v234 = sub <8 x i32> %v228, %v229
  %v235 = add <8 x i32> %v234, splat (i32 127)
  %v236 = shl <8 x i32> %v235, splat (i32 23)
  %v237 = bitcast <8 x i32> %v236 to <8 x float>
  %v238 = fmul <8 x float> %v233, %v237
  %v239 = getelementptr inbounds float, ptr %v1, i64 %v157
  store <8 x float> %v238, ptr %v239, align 4
  %v240 = load <8 x float>, ptr %slot144
  %v241 = fadd contract <8 x float> %v240, %v238
  store <8 x float> %v241, ptr %slot144
  %v242 = mul nsw i64 %v6, %v33
  %v243 = add nsw i64 %v158, %v242
  %v244 = getelementptr inbounds float, ptr %v31, i64 %v243
  %v245 = load <8 x float>, ptr %v244, align 4
  %v246 = getelementptr inbounds float, ptr %v41, i64 %v158
  %v247 = load <8 x float>, ptr %v246, align 4
  %v248 = fadd contract <8 x float> %v245, %v247
  %v249 = insertelement <8 x float> poison, float %v142, i64 0
  %v250 = shufflevector <8 x float> %v249, <8 x float> poison, <8 x i32> zeroinitializer
  %v251 = fsub contract <8 x float> %v248, %v250
  %v252 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v251
  %v253 = select <8 x i1> %v252, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v251
  %v254 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v253
  %v255 = select <8 x i1> %v254, <8 x float> splat (float 0x4056400000000000), <8 x float> %v253
  %v256 = fmul <8 x float> %v255, splat (float 0x3FF7154760000000)
  %v257 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v256)
  %v258 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v257, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v255)
  %v259 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v257, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v258)
  %v260 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v259, <8 x float> splat (float 0x3F81227760000000))
  %v261 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v260, <8 x float> %v259, <8 x float> splat (float 0x3FA5556740000000))
  %v262 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v261, <8 x float> %v259, <8 x float> splat (float 0x3FC5554B00000000))
  %v263 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v262, <8 x float> %v259, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v264 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v263, <8 x float> %v259, <8 x float> splat (float 0x3FF0000000000000))
  %v265 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v264, <8 x float> %v259, <8 x float> splat (float 0x3FF0000000000000))
  %v266 = fadd <8 x float> %v257, splat (float 0x4168000000000000)
  %v267 = bitcast <8 x float> %v266 to <8 x i32>
  %v268 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v269 = sub <8 x i32> %v267, %v268
  %v270 = ashr <8 x i32> %v269, splat (i32 1)
  %v271 = add <8 x i32> %v270, splat (i32 127)
  %v272 = shl <8 x i32> %v271, splat (i32 23)
  %v273 = bitcast <8 x i32> %v272 to <8 x float>
  %v274 = fmul <8 x float> %v265, %v273
  %v275 = sub <8 x i32> %v269, %v270
  %v276 = add <8 x i32> %v275, splat (i32 127)
  %v277 = shl <8 x i32> %v276, splat (i32 23)
  %v278 = bitcast <8 x i32> %v277 to <8 x float>
  %v279 = fmul <8 x float> %v274, %v278
  %v280 = getelementptr inbounds float, ptr %v1, i64 %v158
  store <8 x float> %v279, ptr %v280, align 4
  %v281 = load <8 x float>, ptr %slot145
  %v282 = fadd contract <8 x float> %v281, %v279
  store <8 x float> %v282, ptr %slot145
  %v283 = mul nsw i64 %v6, %v33
  %v284 = add nsw i64 %v159, %v283
  %v285 = getelementptr inbounds float, ptr %v31, i64 %v284
  %v286 = load <8 x float>, ptr %v285, align 4
  %v287 = getelementptr inbounds float, ptr %v41, i64 %v159
  %v288 = load <8 x float>, ptr %v287, align 4
  %v289 = fadd contract <8 x float> %v286, %v288
  %v290 = insertelement <8 x float> poison, float %v142, i64 0
  %v291 = shufflevector <8 x float> %v290, <8 x float> poison, <8 x i32> zeroinitializer
  %v292 = fsub contract <8 x float> %v289, %v291
  %v293 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v292
  %v294 = select <8 x i1> %v293, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v292
  %v295 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v294
  %v296 = select <8 x i1> %v295, <8 x float> splat (float 0x4056400000000000), <8 x float> %v294
  %v297 = fmul <8 x float> %v296, splat (float 0x3FF7154760000000)
  %v298 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v297)
  %v299 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v298, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v296)
  %v300 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v298, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v299)
  %v301 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v300, <8 x float> splat (float 0x3F81227760000000))
  %v302 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v301, <8 x float> %v300, <8 x float> splat (float 0x3FA5556740000000))
  %v303 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v302, <8 x float> %v300, <8 x float> splat (float 0x3FC5554B00000000))
  %v304 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v303, <8 x float> %v300, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v305 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v304, <8 x float> %v300, <8 x float> splat (float 0x3FF0000000000000))
  %v306 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v305, <8 x float> %v300, <8 x float> splat (float 0x3FF0000000000000))
  %v307 = fadd <8 x float> %v298, splat (float 0x4168000000000000)
  %v308 = bitcast <8 x float> %v307 to <8 x i32>
  %v309 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v310 = sub <8 x i32> %v308, %v309
  %v311 = ashr <8 x i32> %v310, splat (i32 1)
  %v312 = add <8 x i32> %v311, splat (i32 127)
  %v313 = shl <8 x i32> %v312, splat (i32 23)
  %v314 = bitcast <8 x i32> %v313 to <8 x float>
  %v315 = fmul <8 x float> %v306, %v314
  %v316 = sub <8 x i32> %v310, %v311
  %v317 = add <8 x i32> %v316, splat (i32 127)
  %v318 = shl <8 x i32> %v317, splat (i32 23)
  %v319 = bitcast <8 x i32> %v318 to <8 x float>
  %v320 = fmul <8 x float> %v315, %v319
  %v321 = getelementptr inbounds float, ptr %v1, i64 %v159
  store <8 x float> %v320, ptr %v321, align 4
  %v322 = load <8 x float>, ptr %slot146
  %v323 = fadd contract <8 x float> %v322, %v320
  store <8 x float> %v323, ptr %slot146
  %v324 = add nsw i64 %v155, 32
  store i64 %v324, ptr %slot154
  br label %loop151
done153:
  store i64 %v150, ptr %slot328
  br label %loop325
loop325:
  %v329 = load i64, ptr %slot328
  %v330 = icmp slt i64 %v329, %v14
  br i1 %v330, label %body326, label %done327
body326:
  %v331 = sub i64 %v14, %v329
  %v332 = trunc i64 %v331 to i32
  %v333 = insertelement <8 x i32> poison, i32 %v332, i64 0
  %v334 = shufflevector <8 x i32> %v333, <8 x i32> poison, <8 x i32> zeroinitializer
  %v335 = icmp slt <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>, %v334
  %v336 = mul nsw i64 %v6, %v33
  %v337 = add nsw i64 %v329, %v336
  %v338 = getelementptr inbounds float, ptr %v31, i64 %v337
  %v339 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v338, i32 4, <8 x i1> %v335, <8 x float> splat (float 0x0000000000000000))
  %v340 = getelementptr inbounds float, ptr %v41, i64 %v329
  %v341 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v340, i32 4, <8 x i1> %v335, <8 x float> splat (float 0x0000000000000000))
  %v342 = fadd contract <8 x float> %v339, %v341
  %v343 = insertelement <8 x float> poison, float %v142, i64 0
  %v344 = shufflevector <8 x float> %v343, <8 x float> poison, <8 x i32> zeroinitializer
  %v345 = fsub contract <8 x float> %v342, %v344
  %v346 = fcmp ogt <8 x float> splat (float 0xC05A000000000000), %v345
  %v347 = select <8 x i1> %v346, <8 x float> splat (float 0xC05A000000000000), <8 x float> %v345
  %v348 = fcmp olt <8 x float> splat (float 0x4056400000000000), %v347
  %v349 = select <8 x i1> %v348, <8 x float> splat (float 0x4056400000000000), <8 x float> %v347
  %v350 = fmul <8 x float> %v349, splat (float 0x3FF7154760000000)
  %v351 = call <8 x float> @llvm.rint.v8f32(<8 x float> %v350)
  %v352 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v351, <8 x float> splat (float 0xBFE62E4300000000), <8 x float> %v349)
  %v353 = call <8 x float> @llvm.fma.v8f32(<8 x float> %v351, <8 x float> splat (float 0x3E205C6100000000), <8 x float> %v352)
  %v354 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> splat (float 0x3F56BEC440000000), <8 x float> %v353, <8 x float> splat (float 0x3F81227760000000))
  %v355 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v354, <8 x float> %v353, <8 x float> splat (float 0x3FA5556740000000))
  %v356 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v355, <8 x float> %v353, <8 x float> splat (float 0x3FC5554B00000000))
  %v357 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v356, <8 x float> %v353, <8 x float> splat (float 0x3FDFFFFFE0000000))
  %v358 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v357, <8 x float> %v353, <8 x float> splat (float 0x3FF0000000000000))
  %v359 = call <8 x float> @llvm.fmuladd.v8f32(<8 x float> %v358, <8 x float> %v353, <8 x float> splat (float 0x3FF0000000000000))
  %v360 = fadd <8 x float> %v351, splat (float 0x4168000000000000)
  %v361 = bitcast <8 x float> %v360 to <8 x i32>
  %v362 = bitcast <8 x float> splat (float 0x4168000000000000) to <8 x i32>
  %v363 = sub <8 x i32> %v361, %v362
  %v364 = ashr <8 x i32> %v363, splat (i32 1)
  %v365 = add <8 x i32> %v364, splat (i32 127)
  %v366 = shl <8 x i32> %v365, splat (i32 23)
  %v367 = bitcast <8 x i32> %v366 to <8 x float>
  %v368 = fmul <8 x float> %v359, %v367
  %v369 = sub <8 x i32> %v363, %v364
  %v370 = add <8 x i32> %v369, splat (i32 127)
  %v371 = shl <8 x i32> %v370, splat (i32 23)
  %v372 = bitcast <8 x i32> %v371 to <8 x float>
  %v373 = fmul <8 x float> %v368, %v372
  %v374 = getelementptr inbounds float, ptr %v1, i64 %v329
  call void @llvm.masked.store.v8f32.p0(<8 x float> %v373, ptr %v374, i32 4, <8 x i1> %v335)
  %v375 = select <8 x i1> %v335, <8 x float> %v373, <8 x float> splat (float 0x0000000000000000)
  %v376 = load <8 x float>, ptr %slot143
  %v377 = fadd contract <8 x float> %v376, %v375
  store <8 x float> %v377, ptr %slot143
  %v378 = add nsw i64 %v329, 8
  store i64 %v378, ptr %slot328
  br label %loop325
done327:
  %v379 = load <8 x float>, ptr %slot143
  %v380 = load <8 x float>, ptr %slot144
  %v381 = load <8 x float>, ptr %slot145
  %v382 = load <8 x float>, ptr %slot146
  %v383 = fadd contract <8 x float> %v379, %v380
  %v384 = fadd contract <8 x float> %v381, %v382
  %v385 = fadd contract <8 x float> %v383, %v384
  %v386 = shufflevector <8 x float> %v385, <8 x float> %v385, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %v387 = shufflevector <8 x float> %v385, <8 x float> %v385, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %v388 = fadd contract <4 x float> %v386, %v387
  %v389 = shufflevector <4 x float> %v388, <4 x float> %v388, <2 x i32> <i32 0, i32 1>
  %v390 = shufflevector <4 x float> %v388, <4 x float> %v388, <2 x i32> <i32 2, i32 3>
  %v391 = fadd contract <2 x float> %v389, %v390
  %v392 = shufflevector <2 x float> %v391, <2 x float> %v391, <1 x i32> <i32 0>
  %v393 = shufflevector <2 x float> %v391, <2 x float> %v391, <1 x i32> <i32 1>
  %v394 = fadd contract <1 x float> %v392, %v393
  %v395 = extractelement <1 x float> %v394, i64 0
  %v396 = fdiv float 0x3FF0000000000000, %v395
  %v397 = sub i64 %v14, 0
  %v398 = urem i64 %v397, 32
  %v399 = sub i64 %v397, %v398
  %v400 = add i64 0, %v399
  store i64 0, ptr %slot404
  br label %loop401
loop401:
  %v405 = load i64, ptr %slot404
  %v406 = icmp slt i64 %v405, %v400
  br i1 %v406, label %body402, label %done403
body402:
  %v407 = add i64 %v405, 8
  %v408 = add i64 %v405, 16
  %v409 = add i64 %v405, 24
  %v410 = getelementptr inbounds float, ptr %v1, i64 %v405
  %v411 = load <8 x float>, ptr %v410, align 4
  %v412 = insertelement <8 x float> poison, float %v396, i64 0
  %v413 = shufflevector <8 x float> %v412, <8 x float> poison, <8 x i32> zeroinitializer
  %v414 = fmul contract <8 x float> %v411, %v413
  %v419 = mul nsw i64 %v6, %v33
  %v420 = add nsw i64 %v405, %v419
  %v421 = getelementptr inbounds float, ptr %v418, i64 %v420
  store <8 x float> %v414, ptr %v421, align 4
  %v422 = getelementptr inbounds float, ptr %v1, i64 %v407
  %v423 = load <8 x float>, ptr %v422, align 4
  %v424 = insertelement <8 x float> poison, float %v396, i64 0
  %v425 = shufflevector <8 x float> %v424, <8 x float> poison, <8 x i32> zeroinitializer
  %v426 = fmul contract <8 x float> %v423, %v425
  %v427 = mul nsw i64 %v6, %v33
  %v428 = add nsw i64 %v407, %v427
  %v429 = getelementptr inbounds float, ptr %v418, i64 %v428
  store <8 x float> %v426, ptr %v429, align 4
  %v430 = getelementptr inbounds float, ptr %v1, i64 %v408
  %v431 = load <8 x float>, ptr %v430, align 4
  %v432 = insertelement <8 x float> poison, float %v396, i64 0
  %v433 = shufflevector <8 x float> %v432, <8 x float> poison, <8 x i32> zeroinitializer
  %v434 = fmul contract <8 x float> %v431, %v433
  %v435 = mul nsw i64 %v6, %v33
  %v436 = add nsw i64 %v408, %v435
  %v437 = getelementptr inbounds float, ptr %v418, i64 %v436
  store <8 x float> %v434, ptr %v437, align 4
  %v438 = getelementptr inbounds float, ptr %v1, i64 %v409
  %v439 = load <8 x float>, ptr %v438, align 4
  %v440 = insertelement <8 x float> poison, float %v396, i64 0
  %v441 = shufflevector <8 x float> %v440, <8 x float> poison, <8 x i32> zeroinitializer
  %v442 = fmul contract <8 x float> %v439, %v441
  %v443 = mul nsw i64 %v6, %v33
  %v444 = add nsw i64 %v409, %v443
  %v445 = getelementptr inbounds float, ptr %v418, i64 %v444
  store <8 x float> %v442, ptr %v445, align 4
  %v446 = add nsw i64 %v405, 32
  store i64 %v446, ptr %slot404
  br label %loop401
done403:
  store i64 %v400, ptr %slot450
  br label %loop447
loop447:
  %v451 = load i64, ptr %slot450
  %v452 = icmp slt i64 %v451, %v14
  br i1 %v452, label %body448, label %done449
body448:
  %v453 = sub i64 %v14, %v451
  %v454 = trunc i64 %v453 to i32
  %v455 = insertelement <8 x i32> poison, i32 %v454, i64 0
  %v456 = shufflevector <8 x i32> %v455, <8 x i32> poison, <8 x i32> zeroinitializer
  %v457 = icmp slt <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>, %v456
  %v458 = getelementptr inbounds float, ptr %v1, i64 %v451
  %v459 = call <8 x float> @llvm.masked.load.v8f32.p0(ptr %v458, i32 4, <8 x i1> %v457, <8 x float> splat (float 0x0000000000000000))
  %v460 = insertelement <8 x float> poison, float %v396, i64 0
  %v461 = shufflevector <8 x float> %v460, <8 x float> poison, <8 x i32> zeroinitializer
  %v462 = fmul contract <8 x float> %v459, %v461
  %v463 = mul nsw i64 %v6, %v33
  %v464 = add nsw i64 %v451, %v463
  %v465 = getelementptr inbounds float, ptr %v418, i64 %v464
  call void @llvm.masked.store.v8f32.p0(<8 x float> %v462, ptr %v465, i32 4, <8 x i1> %v457)
  %v466 = add nsw i64 %v451, 8
  store i64 %v466, ptr %slot450
  br label %loop447
done449:
  %v467 = add nsw i64 %v6, 1
  store i64 %v467, ptr %slot5
  br label %loop2
done4:
  ret void
}
declare <8 x float> @llvm.masked.load.v8f32.p0(ptr, i32, <8 x i1>, <8 x float>)
declare i1 @llvm.vector.reduce.or.v8i1(<8 x i1>)
declare <8 x float> @llvm.rint.v8f32(<8 x float>)
declare <8 x float> @llvm.fma.v8f32(<8 x float>, <8 x float>, <8 x float>)
declare <8 x float> @llvm.fmuladd.v8f32(<8 x float>, <8 x float>, <8 x float>)
declare void @llvm.masked.store.v8f32.p0(<8 x float>, ptr, i32, <8 x i1>)
